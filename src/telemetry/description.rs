//! What each metric is, from its declaration: for the documentation, and for tests of dashboards and alerts.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;

use super::labels::Labels;

/// What a metric is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// As in the text format, without the suffixes of its series.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels, each with its meaning.
    pub labels: &'static [(&'static str, &'static str)],
    /// What it means.
    pub help: String,
}

/// The types of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
    /// Always 1; its labels tell.
    Info,
}

impl Kind {
    /// The word for it in the text format.
    pub fn label(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

impl Description {
    /// The names of its series in Prometheus.
    pub fn series(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            Kind::Counter => &["_total"],
            Kind::Gauge => &[""],
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            Kind::Info => &["_info"],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }

    /// What its values count in.
    pub fn unit(&self) -> &'static str {
        if self.name.ends_with("_timestamp_seconds") || self.name.ends_with("_start_time_seconds") {
            "seconds since 1970"
        } else if self.name.ends_with("_seconds") {
            "seconds"
        } else if self.name.ends_with("_bytes") {
            "bytes"
        } else {
            "1"
        }
    }
}

/// What the type of a metric tells about it.
pub(super) trait Described {
    const KIND: Kind;
    const LABELS: &'static [(&'static str, &'static str)] = &[];
}

impl Described for Counter {
    const KIND: Kind = Kind::Counter;
}

impl Described for Counter<f64, AtomicU64> {
    const KIND: Kind = Kind::Counter;
}

impl Described for Gauge {
    const KIND: Kind = Kind::Gauge;
}

impl Described for Gauge<f64, AtomicU64> {
    const KIND: Kind = Kind::Gauge;
}

impl Described for Histogram {
    const KIND: Kind = Kind::Histogram;
}

impl<L: Labels> Described for Info<L> {
    const KIND: Kind = Kind::Info;
    const LABELS: &'static [(&'static str, &'static str)] = L::NAMES;
}

impl<L: Labels, M: Described, C> Described for Family<L, M, C> {
    const KIND: Kind = M::KIND;
    const LABELS: &'static [(&'static str, &'static str)] = L::NAMES;
}
