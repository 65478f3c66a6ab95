//! The log: one line an event on standard error, text for a terminal and JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::{Log, LogFormat};

/// What is never logged, whatever the settings say: these libraries print requests with their signatures and tokens.
const NEVER: [&str; 2] = ["s3s=off", "aws_sigv4=warn"];

/// Turns the log on for this process. A second call changes nothing.
pub fn init(settings: &Log) -> Result<(), ParseError> {
    let mut filter = EnvFilter::builder().parse(&settings.filter)?;
    for directive in NEVER {
        filter = filter.add_directive(directive.parse()?);
    }
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
