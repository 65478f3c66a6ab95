//! `beetroot-api serve`: the service with AWS as the SDK finds it.

use std::path::PathBuf;

use super::{CommandError, load_aws, load_settings, signals};
use crate::app::{App, Outside};
use crate::clock::Clock;
use crate::telemetry;

pub(super) async fn serve(config_file: Option<PathBuf>) -> Result<(), CommandError> {
    let settings = load_settings(config_file)?.settings;
    let _logging = telemetry::log::init(&settings.log)?;
    let aws = load_aws(&settings).await;
    let app = App::build(settings, Outside { aws, clock: Clock::System }).await?;
    tracing::info!(address = %app.addr(), "listening");
    app.run(signals::asked_to_end()).await.map_err(CommandError::Server)
}
