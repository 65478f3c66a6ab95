//! The log: one line an event on standard error, text for a terminal and JSON for machines.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

#[cfg(feature = "otel")]
use super::otel::{self, Exporting};
#[cfg(feature = "otel")]
use crate::config::OtelVariables;
use crate::config::{Log, LogFormat};

/// Whether it may be logged, whatever the settings say: these libraries print requests with their signatures and tokens. Not by
/// directives of the filter, of which a more specific one in the settings would win.
fn holds_no_secret(event: &Metadata<'_>) -> bool {
    let target = event.target();
    !target.starts_with("s3s") && (!target.starts_with("aws_sigv4") || *event.level() <= Level::WARN)
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is none.
    #[error("log.filter: {0}")]
    Filter(#[from] ParseError),
    /// The variables of OpenTelemetry cannot be used.
    #[cfg(feature = "otel")]
    #[error("the OTEL_EXPORTER_OTLP_ variables cannot be used")]
    Export(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// What the process must hold as long as it logs: with the feature `otel` its end sends the last spans.
#[derive(Debug)]
#[must_use]
pub struct Logging {
    #[cfg(feature = "otel")]
    _exporting: Option<Exporting>,
}

/// Turns the log on for this process, and with the feature `otel` the export of spans. A second call changes nothing.
pub fn init(settings: &Log) -> Result<Logging, LogError> {
    let filter = EnvFilter::builder().parse(&settings.filter)?;
    let terminal = std::io::stderr().is_terminal();
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(terminal);
    let lines = if json {
        // the list of spans has what the current one has
        lines.json().flatten_event(true).with_current_span(false).boxed()
    } else {
        lines.boxed()
    };
    let subscriber = tracing_subscriber::registry().with(filter_fn(holds_no_secret));
    // a filter over everything costs a line less than one of its own
    #[cfg(not(feature = "otel"))]
    let subscriber = subscriber.with(filter).with(lines);
    #[cfg(feature = "otel")]
    let (subscriber, exporting) = {
        let (layer, exporting) = otel::layer(OtelVariables::of_process())?.unzip();
        (subscriber.with(lines.with_filter(filter)).with(layer), exporting)
    };
    // an error means that somebody, a test runner perhaps, has turned a log on already
    let _ = subscriber.try_init();
    Ok(Logging {
        #[cfg(feature = "otel")]
        _exporting: exporting,
    })
}
