//! What the service tells about itself: the log, the metrics, and spans where somebody collects them.

pub mod log;
pub mod metrics;
#[cfg(feature = "otel")]
pub mod otel;
pub mod request_span;
pub mod trace_context;
