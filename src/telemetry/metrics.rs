//! Each metric once: its doc comment is its help text.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::description::{Described, Description};
use super::process::Process;

pub use super::labels::*;

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

/// What the names of all metrics begin with, but those of the process.
const PREFIX: &str = "beetroot";

fn describe<M: Described>(name: &str, help: &str) -> Description {
    Description {
        name: format!("{PREFIX}_{name}"),
        kind: M::KIND,
        labels: M::LABELS,
        help: help.trim().to_owned(),
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
                let mut all = Registry::default();
                let registry = all.sub_registry_with_prefix(PREFIX);
                $(
                    let $name: $type = $value;
                    // the registry ends each help text with a full stop of its own
                    let help = concat!($($help),+).trim().trim_end_matches('.');
                    registry.register($registered, help, $name.clone());
                )+
                registry.register("build", "What runs", Info::new(Build::this()));
                all.register_collector(Box::new(Process::started_now()));
                Self { registry: Arc::new(all), $($name,)+ }
            }
        }

        impl Metrics {
            /// What each metric is, in the order of their declaration.
            pub fn descriptions() -> Vec<Description> {
                let mut descriptions = vec![$(describe::<$type>($registered, concat!($($help),+)),)+];
                descriptions.push(describe::<Info<Build>>("build", "What runs."));
                descriptions.extend(Process::descriptions());
                descriptions
            }
        }
    };
}

metrics! {
    /// Requests answered.
    http_requests: Family<Request, Counter> = Family::default(), "http_requests";
    /// Seconds from the head of a request to its answer.
    http_request_duration: Family<Route, Histogram, Latency> = Family::new_with_constructor(Latency), "http_request_duration_seconds";
    /// 1 while new requests are welcome, as `/readyz` says.
    ready: Gauge = Gauge::default(), "ready";
    /// Connections of clients that are open now.
    http_connections: Gauge = Gauge::default(), "http_connections";
    /// Connections of clients that were cut off: `not_taken` (the client did not take its answer), `silent` (it did not end its
    /// request).
    http_connections_cut_off: Family<Reason, Counter> = Family::default(), "http_connections_cut_off";
    /// Requests being worked on now.
    http_in_flight: Gauge = Gauge::default(), "http_in_flight";
    /// Requests refused because of others: `in_flight` (`server.max_in_flight` of them were being worked on), `made_at_once`
    /// (`lists.made_at_once` lists were being made for each worker and four times as many waited, or it waited a second for a place).
    http_overload: Family<Reason, Counter> = Family::default(), "http_overload";
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
    /// Pages of the ranking made, by what they were made of: `memory` (a ranking that was there), `scan` (one that was being read
    /// for all who waited), `alone` (a scan for this page only: it lies behind what fits into memory, or `lists.fresh` is 0).
    ranking_pages: Family<Source, Counter> = Family::default(), "ranking_pages";
    /// Bytes of the ranking that was read last.
    ranking_bytes: Gauge = Gauge::default(), "ranking_bytes";
    /// Calls to DynamoDB, each with all its attempts.
    dynamodb_calls: Family<Call, Counter> = Family::default(), "dynamodb_calls";
    /// Seconds that calls to DynamoDB took with all their attempts, those that failed included.
    dynamodb_call_duration: Family<Operation, Histogram, Latency> = Family::new_with_constructor(Latency), "dynamodb_call_duration_seconds";
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
    /// Answers that failed because nobody could sign: there are no credentials, or they have ended.
    signing_failures: Counter = Counter::default(), "signing_failures";
    /// When the present credentials end; +Inf when they have no end, 0 when there are none yet.
    credentials_end: Gauge<f64, AtomicU64> = Gauge::default(), "credentials_end_timestamp_seconds";
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
