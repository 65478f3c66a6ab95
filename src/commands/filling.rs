//! Pictures into tables and buckets, with a bar on a terminal: what `demo` and `seed` share.

use std::path::PathBuf;

use aws_types::SdkConfig;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::Settings;
use crate::emulators::folder::{self, FolderError, Import, Skipped};
use crate::emulators::seed::{SeedError, SeedNames, SeedReport, seed};
use crate::emulators::{self, Collection, Progress};

/// The thumbnails' bucket, unless the settings name one.
pub(super) const THUMBS_BUCKET: &str = "beetroot-thumbs";

/// Why tables and buckets were not filled.
#[derive(Debug, thiserror::Error)]
pub(super) enum FillError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error("the pictures could not be prepared")]
    Prepare(#[source] tokio::task::JoinError),
}

/// Tables and thumbnails' bucket of the settings.
pub(super) fn names(settings: &Settings, raw_bucket: String) -> SeedNames {
    let tables = &settings.dynamodb;
    SeedNames {
        persons_table: tables.persons_table.clone(),
        occurrences_table: tables.occurrences_table.clone(),
        photos_table: tables.photos_table.clone(),
        raw_bucket,
        thumbs_bucket: settings.presign.thumbs_bucket.clone(),
    }
}

/// Draws the sample, or reads the person's own folder and names what it skips.
pub(super) async fn prepare_pictures(folder: Option<PathBuf>) -> Result<Collection, FillError> {
    let Some(dir) = folder else {
        return tokio::task::spawn_blocking(emulators::sample).await.map_err(FillError::Prepare);
    };
    let bar = progress_bar("reading pictures");
    let shown = bar.clone();
    let reading =
        tokio::task::spawn_blocking(move || folder::import(&dir, &|progress| show(&shown, progress)));
    let outcome = reading.await.map_err(FillError::Prepare)?;
    bar.finish_and_clear();
    match &outcome {
        Ok(Import { skipped, .. }) | Err(FolderError::NoPictures { skipped, .. }) => tell_skipped(skipped),
        Err(_) => {}
    }
    Ok(outcome?.collection)
}

#[expect(clippy::print_stderr, reason = "a command tells what it leaves out")]
fn tell_skipped(skipped: &[Skipped]) {
    for Skipped { path, reason } in skipped {
        eprintln!("skipped {}: {reason}", path.display());
    }
}

/// Creates tables and buckets and fills them through the SDK's own clients.
pub(super) async fn fill(
    settings: &Settings,
    aws: &SdkConfig,
    names: &SeedNames,
    collection: &Collection,
) -> Result<SeedReport, FillError> {
    let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(aws);
    if settings.aws.dynamodb_endpoint.is_some() {
        dynamodb.set_endpoint_url(settings.aws.dynamodb_endpoint.clone());
    }
    // by path, as everything that stands in for S3 understands it
    let mut s3 = aws_sdk_s3::config::Builder::from(aws).force_path_style(true);
    if settings.aws.s3_endpoint.is_some() {
        s3.set_endpoint_url(settings.aws.s3_endpoint.clone());
    }

    let bar = progress_bar("filling tables and buckets");
    let report = seed(
        &aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
        &aws_sdk_s3::Client::from_conf(s3.build()),
        names,
        collection,
        &|progress| show(&bar, progress),
    )
    .await?;
    bar.finish_and_clear();
    Ok(report)
}

/// A bar on a terminal; nothing elsewhere.
fn progress_bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    // the template is a constant; without it the bar only looks plainer
    match ProgressStyle::with_template("{msg} {bar:32} {pos}/{len}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}
