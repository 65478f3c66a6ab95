//! What the service tells about itself: the log, the metrics, and spans where somebody collects them.

pub mod description;
pub mod labels;
pub mod log;
pub mod metrics;
#[cfg(feature = "otel")]
pub mod otel;
mod process;
pub mod request_span;
pub mod trace_context;
