//! What the service tells about itself: the log and the metrics.

pub mod description;
pub mod labels;
pub mod log;
pub mod metrics;
mod process;
