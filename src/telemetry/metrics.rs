//! Each metric once: its doc comment is its help text.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// One request's route, method and status.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    /// The pattern, not the path: bounded, and without anybody's identifier.
    pub route: &'static str,
    /// `GET`, `HEAD`, `OPTIONS` or `other`.
    pub method: &'static str,
    /// The status code.
    pub status: u16,
}

/// One request's route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Route {
    /// The pattern, not the path.
    pub route: &'static str,
}

/// A call to another service and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Call {
    /// DynamoDB: `Scan`, `Query` or `BatchGetItem`. Redis: `connect`, `get`, `put` or `probe`.
    pub operation: &'static str,
    /// `ok`, `timeout` or `unavailable`; of DynamoDB also `throttled` or `invalid`.
    pub outcome: &'static str,
}

/// One operation of another service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Operation {
    /// As in [`Call`].
    pub operation: &'static str,
}

/// In which state an answer was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct State {
    /// One word.
    pub state: &'static str,
}

/// How a body is compressed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Coding {
    /// As in `Content-Encoding`.
    pub coding: &'static str,
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// One word.
    pub outcome: &'static str,
}

/// A row that costs itself only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OddRow {
    /// `persons`, `occurrences` or `photos`.
    pub table: &'static str,
    /// The attribute that is missing or odd.
    pub attribute: &'static str,
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// One word.
    pub reason: &'static str,
}

impl Reason {
    /// A reason by its word.
    pub fn of(reason: &'static str) -> Self {
        Self { reason }
    }
}

/// Where something was looked for, and whether it was there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Lookup {
    /// `local` or `redis`.
    pub tier: &'static str,
    /// `hit` or `miss`.
    pub outcome: &'static str,
}

impl Lookup {
    /// In this process.
    pub fn local(is_hit: bool) -> Self {
        Self { tier: "local", outcome: if is_hit { "hit" } else { "miss" } }
    }

    /// In Redis.
    pub fn redis(is_hit: bool) -> Self {
        Self { tier: "redis", ..Self::local(is_hit) }
    }
}

/// A value in Redis that was not used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusedValue {
    /// `url` or `photo`.
    pub kind: &'static str,
    /// What is wrong with it, one word.
    pub reason: &'static str,
}

/// Seconds from a cache hit to a long scan.
#[derive(Clone, Debug)]
pub struct Latency;

impl MetricConstructor<Histogram> for Latency {
    fn new_metric(&self) -> Histogram {
        Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
    }
}

/// Seconds from the next moment to a week.
#[derive(Clone, Debug)]
pub struct Life;

impl MetricConstructor<Histogram> for Life {
    fn new_metric(&self) -> Histogram {
        Histogram::new([10.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 21_600.0, 86_400.0, 604_800.0])
    }
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $name:ident: $type:ty = $value:expr, $registered:literal;)+) => {
        /// All metrics of one instance of the service; clones count into the same ones.
        #[derive(Clone)]
        pub struct Metrics {
            registry: Arc<Registry>,
            $($(#[doc = $help])+ pub $name: $type,)+
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::with_prefix("beetroot");
                $(
                    let $name: $type = $value;
                    // the registry ends each help text with a full stop of its own
                    let help = concat!($($help),+).trim().trim_end_matches('.');
                    registry.register($registered, help, $name.clone());
                )+
                Self { registry: Arc::new(registry), $($name,)+ }
            }
        }
    };
}

metrics! {
    /// Requests answered.
    http_requests: Family<Request, Counter> = Family::default(), "http_requests";
    /// Seconds from the head of a request to its answer.
    http_request_duration: Family<Route, Histogram, Latency> = Family::new_with_constructor(Latency), "http_request_duration_seconds";
    /// Requests being worked on now.
    http_in_flight: Gauge = Gauge::default(), "http_in_flight";
    /// Requests refused because `server.max_in_flight` others were being worked on.
    http_overload: Counter = Counter::default(), "http_overload";
    /// Lists given: `fresh`, `stale` (while a new one is being made), `kept` (no new one could be made), `made` (the client
    /// waited for it), `failed`. With `lists.fresh = 0` only the last two.
    answers: Family<State, Counter> = Family::default(), "answers";
    /// Lists made anew, for one client or for many: `changed`, `unchanged` (the same bytes as before), `failed`, `lost` (the work
    /// was broken off).
    answer_refills: Family<Outcome, Counter> = Family::default(), "answer_refills";
    /// Lists compressed.
    answer_compressions: Family<Coding, Counter> = Family::default(), "answer_compressions";
    /// Bytes of the lists in memory, all codings of them.
    answer_bytes: Gauge = Gauge::default(), "answer_bytes";
    /// Calls to DynamoDB, each with all its attempts.
    dynamodb_calls: Family<Call, Counter> = Family::default(), "dynamodb_calls";
    /// Read capacity units that DynamoDB has counted.
    dynamodb_capacity_units: Family<Operation, Counter<f64, AtomicU64>> = Family::default(), "dynamodb_capacity_units";
    /// Calls to Redis: one for all keys that a request reads or writes together. Calls that the breaker saved are not among them.
    redis_calls: Family<Call, Counter> = Family::default(), "redis_calls";
    /// Seconds that calls to Redis took, those that failed included.
    redis_call_duration: Family<Operation, Histogram, Latency> = Family::new_with_constructor(Latency), "redis_call_duration_seconds";
    /// Values written to Redis: `stored`, `replaced` (in place of a list, a hash or the like), `found` (another instance was first) or `refused` (read-only, out of memory, not allowed).
    redis_puts: Family<Outcome, Counter> = Family::default(), "redis_puts";
    /// 1 while the breaker is open: Redis has failed, and no request waits for it.
    redis_breaker_open: Gauge = Gauge::default(), "redis_breaker_open";
    /// Calls that were not made because the breaker was open, or because the request had waited long enough.
    redis_skipped: Counter = Counter::default(), "redis_skipped";
    /// Rows that were skipped or degraded because an attribute is missing or odd.
    odd_rows: Family<OddRow, Counter> = Family::default(), "odd_rows";
    /// Scans of the persons that ended at `persons.scan_limit`: their ranking misses persons.
    scans_cut_short: Counter = Counter::default(), "scans_cut_short";
    /// URLs signed.
    urls_signed: Counter = Counter::default(), "urls_signed";
    /// URLs looked for, by where; a URL in process that Redis has to confirm is a miss there. What is nowhere is signed.
    url_lookups: Family<Lookup, Counter> = Family::default(), "url_lookups";
    /// URLs of this process that gave way to another instance's.
    urls_adopted: Counter = Counter::default(), "urls_adopted";
    /// URLs that Redis had lost and this process put back.
    urls_put_back: Counter = Counter::default(), "urls_put_back";
    /// Seconds that the first URL of an answer to end had left when the answer was built.
    url_remaining_life: Histogram = Life.new_metric(), "url_remaining_life_seconds";
    /// Places of photos looked for, by where; what is nowhere is asked of DynamoDB.
    photo_location_lookups: Family<Lookup, Counter> = Family::default(), "photo_location_lookups";
    /// Values in Redis that were not what they should be: not used, and overwritten.
    cached_values_refused: Family<RefusedValue, Counter> = Family::default(), "cached_values_refused";
    /// Objects that got no URL.
    urls_refused: Family<Reason, Counter> = Family::default(), "urls_refused";
}

impl Metrics {
    /// Everything in the text format of OpenMetrics.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}
