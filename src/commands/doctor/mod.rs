//! `beetroot-api doctor`: looks at a real configuration and the services that it names, and says for each what was found and
//! what to do. It uses the clients and the rights of the service itself, and writes nothing except one key in Redis for some
//! seconds.
//!
//! Areas that do not need each other are checked at once, and a fault in one does not stop the others.

mod aws;
mod browser;
mod bucket;
mod bucket_cors;
mod credentials;
mod explain;
mod explain_dynamodb;
mod explain_redis;
mod explain_s3;
mod finding;
mod pictures;
mod redis;
mod redis_rights;
mod settings;
mod tables;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use aws_types::SdkConfig;

use self::aws::Where;
use self::browser::Browser;
use self::finding::{Finding, Report, Status};
use self::pictures::Tools;
use super::{CommandError, load_aws, load_settings};
use crate::app;
use crate::cli::DoctorArgs;
use crate::clock::Clock;
use crate::config::{Settings, colour_is_unwanted};
use crate::telemetry::metrics::Metrics;
use crate::urls::UrlBook;

/// Prints the report. An error when a check failed, so that scripts notice.
pub(super) async fn doctor(config_file: Option<PathBuf>, args: DoctorArgs) -> Result<(), CommandError> {
    let (report, wrong_settings) = match load_settings(config_file) {
        Err(faults) => (Report { findings: settings::faults(&faults) }, true),
        Ok(loaded) => {
            let mut findings = vec![
                settings::sources(&loaded),
                settings::presign(&loaded.settings.presign),
                settings::seal(&loaded.settings),
            ];
            let aws = load_aws(&loaded.settings).await;
            findings.extend(examine(&loaded.settings, aws, &Clock::System).await);
            (Report { findings }, false)
        }
    };
    let mut stdout = std::io::stdout();
    let text = if args.json {
        report.json().map_err(|error| CommandError::Print(error.into()))?
    } else {
        report.lines(stdout.is_terminal() && !colour_is_unwanted())
    };
    stdout.write_all(text.as_bytes()).map_err(CommandError::Print)?;
    match report.count(Status::Fail) {
        0 => Ok(()),
        failed => Err(CommandError::Unwell { failed, wrong_settings }),
    }
}

/// Everything that needs more than the settings' text.
async fn examine(settings: &Settings, aws: SdkConfig, clock: &Clock) -> Vec<Finding> {
    let (mut findings, of_redis) =
        tokio::join!(Box::pin(examine_aws(settings, aws, clock)), Box::pin(redis::check(&settings.redis)));
    findings.extend(of_redis);
    findings
}

async fn examine_aws(settings: &Settings, aws: SdkConfig, clock: &Clock) -> Vec<Finding> {
    // odd rows are counted here, and nobody else counts
    let metrics = Metrics::default();
    let sdk = match app::sdk_config(settings, aws) {
        Ok(sdk) => sdk,
        Err(error) => {
            return without_aws(
                &error,
                "set AWS_REGION to where the tables and buckets are, such as eu-central-1",
            );
        }
    };
    let place = Where::new(&sdk, settings);
    let urls = match app::url_book(settings, &sdk, clock, &metrics).await {
        Ok(urls) => urls,
        Err(error) => {
            return without_aws(
                &error,
                "correct AWS_REGION, THUMBS_BUCKET, the endpoints or the AWS profile",
            );
        }
    };
    let Some(browser) = Browser::new() else {
        return vec![Finding::fail(
            "aws",
            "this build has no TLS",
            "build it with the features that it has by default",
        )];
    };
    let mut findings = aws::check(&place, settings);
    let (of_bucket, of_the_rest) = tokio::join!(
        Box::pin(check_bucket(&browser, clock, settings, &urls)),
        Box::pin(check_signed(settings, &sdk, &place, &urls, &browser, clock, &metrics)),
    );
    findings.extend(of_bucket);
    findings.extend(of_the_rest);
    findings
}

async fn check_bucket(browser: &Browser, clock: &Clock, settings: &Settings, urls: &UrlBook) -> Vec<Finding> {
    let bucket = &settings.presign.thumbs_bucket;
    match urls.bucket_endpoint(bucket).await {
        Ok(endpoint) => bucket::check(browser, clock, bucket, &endpoint).await,
        Err(error) => {
            vec![Finding::fail("s3.bucket", explain::chain(&error), "correct THUMBS_BUCKET or the endpoints")]
        }
    }
}

/// Credentials, and all that needs them, each with what the one before has found.
async fn check_signed(
    settings: &Settings,
    sdk: &SdkConfig,
    place: &Where,
    urls: &UrlBook,
    browser: &Browser,
    clock: &Clock,
    metrics: &Metrics,
) -> Vec<Finding> {
    let credentials::Checked { mut findings, usable } =
        credentials::check(sdk, place, &settings.presign, clock).await;
    if !usable {
        findings.extend(skipped(need_credentials(), "because there are no credentials that live"));
        return findings;
    }
    let catalog = app::catalog(settings, sdk, metrics);
    let (of_tables, sample) = tables::check(&catalog, metrics, &settings.dynamodb, place).await;
    findings.extend(of_tables);
    let allowed = app::allow_list(settings);
    let tools = Tools { urls, allowed: &allowed, browser, presign: &settings.presign };
    let (of_pictures, shown) = pictures::check(&tools, &sample).await;
    findings.extend(of_pictures);
    findings.extend(bucket_cors::check(browser, &settings.cors, &shown).await);
    findings
}

fn without_aws(error: &app::BuildError, advice: &str) -> Vec<Finding> {
    let mut findings = vec![Finding::fail("aws", explain::chain(error), advice)];
    let need_aws =
        [bucket::CLOCK, bucket::BUCKET].into_iter().chain(credentials::IDS).chain(need_credentials());
    findings.extend(skipped(need_aws, "because it is not known which AWS"));
    findings
}

fn need_credentials() -> impl Iterator<Item = &'static str> {
    tables::IDS.into_iter().chain(pictures::IDS).chain([bucket_cors::ID])
}

fn skipped(ids: impl Iterator<Item = &'static str>, because: &str) -> impl Iterator<Item = Finding> {
    ids.map(move |id| Finding::skip(id, because))
}
