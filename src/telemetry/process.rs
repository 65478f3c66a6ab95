//! What this process takes of its machine, read at each scrape, under the names that all Prometheus clients use. What the
//! system does not tell is left out: memory and descriptors are known on Linux only.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::description::{Description, Kind};
use crate::clock::Clock;

/// Name without suffix, type, help.
type Known = (&'static str, Kind, &'static str);

const CPU: Known =
    ("process_cpu_seconds", Kind::Counter, "Processor time that the process has used, on all cores.");
const START: Known = ("process_start_time_seconds", Kind::Gauge, "When the process started.");
const MEMORY: Known = ("process_resident_memory_bytes", Kind::Gauge, "Memory of the process that is in RAM.");
const OPEN: Known =
    ("process_open_fds", Kind::Gauge, "Open file descriptors; each connection, whoever's it is, takes one.");
const MOST_OPEN: Known =
    ("process_max_fds", Kind::Gauge, "Open file descriptors that the system allows; absent without a limit.");

/// This process.
#[derive(Debug)]
pub(super) struct Process {
    /// Seconds since 1970.
    started: f64,
}

impl Process {
    /// Metrics are the first that a service makes.
    pub(super) fn started_now() -> Self {
        Self { started: Clock::System.now().as_duration().as_secs_f64() }
    }

    pub(super) fn descriptions() -> impl Iterator<Item = Description> {
        [CPU, START, MEMORY, OPEN, MOST_OPEN].into_iter().map(|(name, kind, help)| Description {
            name: name.to_owned(),
            kind,
            labels: &[],
            help: help.to_owned(),
        })
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut tell = |(name, kind, help): Known, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let counter = ConstCounter::new(value);
            let gauge = ConstGauge::new(value);
            let metric: &dyn EncodeMetric = if kind == Kind::Counter { &counter } else { &gauge };
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        tell(CPU, Some(cpu_time().as_secs_f64()))?;
        tell(START, Some(self.started))?;
        tell(MEMORY, resident_bytes())?;
        tell(OPEN, open_descriptors())?;
        tell(MOST_OPEN, most_descriptors())
    }
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 bytes a few do not matter")]
fn resident_bytes() -> Option<f64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse::<usize>().ok()?;
    Some((pages * rustix::param::page_size()) as f64)
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many")]
fn open_descriptors() -> Option<f64> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many")]
fn most_descriptors() -> Option<f64> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.map(|most| most as f64)
}
