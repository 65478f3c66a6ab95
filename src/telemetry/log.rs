//! The log: one line an event on standard error, text for a terminal and JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// What is never logged, whatever the settings say: the emulated S3's library prints requests with their signatures.
const NEVER: &str = "s3s=off";

/// Turns the log on for this process. A second call changes nothing.
pub fn init(settings: &Log) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(&settings.filter)?.add_directive(NEVER.parse()?);
    let terminal = std::io::stderr().is_terminal();
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal);
    // an error means that somebody, a test runner perhaps, has turned a log on already
    let _ = if json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
    Ok(())
}
