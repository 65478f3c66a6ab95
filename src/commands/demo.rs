//! `beetroot-api demo`: DynamoDB, S3, pictures and the service in one process, all on 127.0.0.1.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use indicatif::{ProgressBar, ProgressStyle};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{CommandError, signals};
use crate::app::{App, Outside};
use crate::cli::DemoArgs;
use crate::clock::Clock;
use crate::config::{Settings, Sources, load};
use crate::emulators::folder::{self, FolderError, Import, Skipped};
use crate::emulators::seed::{SeedError, SeedNames, SeedReport, seed};
use crate::emulators::{self, Collection, EmulatorError, Emulators, Ports, Progress};
use crate::telemetry;

/// The bucket of the photos. The thumbnails' bucket is a setting, this one is only named by rows.
const RAW_BUCKET: &str = "beetroot-raw";
/// The thumbnails' bucket, unless the settings name one.
const THUMBS_BUCKET: &str = "beetroot-thumbs";

/// What stays as it is in a path segment.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error(transparent)]
    Emulators(#[from] EmulatorError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error("the pictures could not be prepared")]
    Prepare(#[source] tokio::task::JoinError),
}

pub(super) async fn demo(config_file: Option<PathBuf>, args: DemoArgs) -> Result<(), CommandError> {
    let mut settings = load_demo_settings(config_file)?;
    if let Some(port) = args.port {
        settings.server.port = port;
    }
    let _logging = telemetry::log::init(&settings.log)?;

    let ports = Ports { dynamodb: args.dynamodb_port, s3: args.s3_port };
    let emulators = Emulators::start(ports).map_err(DemoError::from)?;
    settings.aws.region = Some(emulators::REGION.to_owned());
    settings.aws.dynamodb_endpoint = Some(emulators.dynamodb_endpoint());
    settings.aws.s3_endpoint = Some(emulators.s3_endpoint());
    // what is meant for somebody's real buckets would leave the demo without pictures
    settings.aws.s3_public_endpoint = None;
    settings.presign.allow.clear();
    let aws = emulated_aws();
    // before the pictures, so that a port that is taken is told at once
    let app = App::build(settings.clone(), Outside { aws: aws.clone(), clock: Clock::System }).await?;

    let collection = prepare_pictures(args.photos).await?;
    let report = fill(&settings, &aws, &collection).await?;
    let guide = guide(app.addr(), &emulators, &collection, report);
    std::io::stdout().write_all(guide.as_bytes()).map_err(CommandError::Print)?;
    app.run(signals::asked_to_end()).await.map_err(CommandError::Server)
}

/// The settings as for `serve`, except that the thumbnails' bucket need not be named.
fn load_demo_settings(config_file: Option<PathBuf>) -> Result<Settings, CommandError> {
    let mut sources = Sources::from_process(config_file);
    sources.environment.entry("THUMBS_BUCKET".into()).or_insert_with(|| THUMBS_BUCKET.into());
    Ok(load(sources)?.settings)
}

fn emulated_aws() -> SdkConfig {
    let credentials =
        Credentials::new(emulators::ACCESS_KEY_ID, emulators::SECRET_ACCESS_KEY, None, None, "demo");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(emulators::REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Draws the sample, or reads the person's own folder and names what it skips.
async fn prepare_pictures(folder: Option<PathBuf>) -> Result<Collection, CommandError> {
    let Some(dir) = folder else {
        return Ok(tokio::task::spawn_blocking(emulators::sample).await.map_err(DemoError::Prepare)?);
    };
    let bar = progress_bar("reading pictures");
    let shown = bar.clone();
    let reading =
        tokio::task::spawn_blocking(move || folder::import(&dir, &|progress| show(&shown, progress)));
    let outcome = reading.await.map_err(DemoError::Prepare)?;
    bar.finish_and_clear();
    match &outcome {
        Ok(Import { skipped, .. }) | Err(FolderError::NoPictures { skipped, .. }) => tell_skipped(skipped),
        Err(_) => {}
    }
    Ok(outcome.map_err(DemoError::from)?.collection)
}

#[expect(clippy::print_stderr, reason = "a command tells what it leaves out")]
fn tell_skipped(skipped: &[Skipped]) {
    for Skipped { path, reason } in skipped {
        eprintln!("skipped {}: {reason}", path.display());
    }
}

/// Creates tables and buckets and fills them through the SDK's own clients.
async fn fill(
    settings: &Settings,
    aws: &SdkConfig,
    collection: &Collection,
) -> Result<SeedReport, CommandError> {
    let tables = &settings.dynamodb;
    let names = SeedNames {
        persons_table: tables.persons_table.clone(),
        occurrences_table: tables.occurrences_table.clone(),
        photos_table: tables.photos_table.clone(),
        raw_bucket: RAW_BUCKET.to_owned(),
        thumbs_bucket: settings.presign.thumbs_bucket.clone(),
    };
    let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(aws);
    dynamodb.set_endpoint_url(settings.aws.dynamodb_endpoint.clone());
    let mut s3 = aws_sdk_s3::config::Builder::from(aws).force_path_style(true);
    s3.set_endpoint_url(settings.aws.s3_endpoint.clone());

    let bar = progress_bar("filling tables and buckets");
    let report = seed(
        &aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
        &aws_sdk_s3::Client::from_conf(s3.build()),
        &names,
        collection,
        &|progress| show(&bar, progress),
    )
    .await
    .map_err(DemoError::from)?;
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

/// Where everything listens, and three lines that work when they are pasted.
fn guide(service: SocketAddr, emulators: &Emulators, collection: &Collection, report: SeedReport) -> String {
    let mut text = String::new();
    let most = collection.persons.iter().max_by_key(|person| person.occurrences.len());
    let person = most.map_or("nobody", |person| person.id.as_str());
    let person = utf8_percent_encode(person, PATH_SEGMENT);
    // writing to a String cannot fail
    let _ = write!(
        text,
        r#"
beetroot-api demo: {persons} persons, {photos} photos, {occurrences} occurrences

  service   http://{service}
  DynamoDB  {dynamodb}
  S3        {s3}

Try, in another terminal:

  curl -s 'http://{service}/persons?limit=3'
  curl -s 'http://{service}/persons/{person}/photos?limit=3'
  curl -s -o picture.jpg "$(curl -s 'http://{service}/persons?limit=1' | sed 's/.*"repThumbURL":"\([^"]*\)".*/\1/')" && ls -l picture.jpg

Ctrl-C ends everything.

"#,
        persons = report.persons,
        photos = report.photos,
        occurrences = report.occurrences,
        dynamodb = emulators.dynamodb_endpoint(),
        s3 = emulators.s3_endpoint(),
    );
    text
}
