//! `beetroot-api demo`: DynamoDB, S3, pictures, the service and its page in one process, all on 127.0.0.1.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::filling::{self, FillError, THUMBS_BUCKET};
use super::{CommandError, signals};
use crate::app::{App, Outside};
use crate::cli::{DemoArgs, RAW_BUCKET};
use crate::clock::Clock;
use crate::config::{Settings, Sources, load};
use crate::emulators::seed::SeedReport;
use crate::emulators::{self, Collection, EmulatorError, Emulators, Ports};
use crate::telemetry;

/// What stays as it is in a path segment.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error(transparent)]
    Emulators(#[from] EmulatorError),
    #[error(transparent)]
    Fill(#[from] FillError),
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
    settings.server.viewer = true;
    let aws = emulated_aws();
    // before the pictures, so that a port that is taken is told at once
    let app = App::build(settings.clone(), Outside { aws: aws.clone(), clock: Clock::System }).await?;

    let collection = filling::prepare_pictures(args.photos).await.map_err(DemoError::from)?;
    let names = filling::names(&settings, RAW_BUCKET.to_owned());
    let report = filling::fill(&settings, &aws, &names, &collection).await.map_err(DemoError::from)?;
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

/// Where to look, where everything listens, and three lines that work when they are pasted.
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

Open this in a browser:

  http://{service}/

What else there is:

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
