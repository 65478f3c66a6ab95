//! `beetroot-api serve`: the service with AWS as the SDK finds it.

use std::path::PathBuf;

use aws_config::BehaviorVersion;
use aws_types::region::Region;

use super::{CommandError, load_settings, signals};
use crate::app::{App, Outside};
use crate::clock::Clock;
use crate::config::Settings;
use crate::telemetry;

pub(super) async fn serve(config_file: Option<PathBuf>) -> Result<(), CommandError> {
    let settings = load_settings(config_file)?.settings;
    let _logging = telemetry::log::init(&settings.log)?;
    let aws = load_aws(&settings).await;
    let app = App::build(settings, Outside { aws, clock: Clock::System }).await?;
    tracing::info!(address = %app.addr(), "listening");
    app.run(signals::asked_to_end()).await.map_err(CommandError::Server)
}

/// Credentials, region and endpoints from environment, profile or metadata service. A region in the settings saves
/// asking the metadata service for one.
async fn load_aws(settings: &Settings) -> aws_types::SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = &settings.aws.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
}
