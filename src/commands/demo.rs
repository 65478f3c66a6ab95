//! demo placeholder while compiling
use super::CommandError;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub(super) struct DemoError;
pub(super) async fn demo(_: Option<std::path::PathBuf>, _: crate::cli::DemoArgs) -> Result<(), CommandError> {
    Ok(())
}
