//! `beetroot-api config`: what is in force, and where each value comes from.

use std::io::Write;
use std::path::PathBuf;

use super::{CommandError, load_settings};

pub(super) fn print(config_file: Option<PathBuf>) -> Result<(), CommandError> {
    let loaded = load_settings(config_file)?;
    write!(std::io::stdout(), "{}", loaded.table()).map_err(CommandError::Print)
}
