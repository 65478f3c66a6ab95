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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_directive_brings_back_what_may_hold_a_secret() {
        let lines = Lines::default();
        let writer = lines.clone();
        let filter = EnvFilter::new("trace,s3s=trace,s3s::ops=trace,aws_sigv4::http_request=trace");
        let layer = fmt::layer().with_writer(move || writer.clone());
        let subscriber =
            tracing_subscriber::registry().with(filter_fn(holds_no_secret)).with(filter).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "s3s::ops", "hidden");
            tracing::info!(target: "aws_sigv4::http_request", "hidden");
            tracing::warn!(target: "aws_sigv4::http_request", "a warning");
            tracing::trace!(target: "beetroot_api", "ours");
        });
        let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(!lines.contains("hidden"), "{lines}");
        assert!(lines.contains("a warning") && lines.contains("ours"), "{lines}");
    }
}
