//! What is counted about the requests of one route. What warm answers count is found once, not at each request.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use crate::telemetry::metrics::{Metrics, Request, Route};

/// The metrics of one route, kept with the route.
pub(super) struct RouteMetrics {
    route: &'static str,
    get_ok: (Counter, Histogram),
    get_not_modified: (Counter, Histogram),
    metrics: Metrics,
}

impl RouteMetrics {
    /// `route` is a pattern or `other`: bounded, and without anybody's identifier.
    pub(super) fn new(metrics: &Metrics, route: &'static str) -> Self {
        let get = |status| {
            let count = metrics.http_requests.get_or_create_owned(&Request { route, method: "GET", status });
            (count, metrics.http_request_duration.get_or_create_owned(&Route { route, status }))
        };
        Self { route, get_ok: get(200), get_not_modified: get(304), metrics: metrics.clone() }
    }

    pub(super) fn route(&self) -> &'static str {
        self.route
    }

    pub(super) fn count(&self, method: &'static str, status: u16, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let found = match (method, status) {
            ("GET", 200) => Some(&self.get_ok),
            ("GET", 304) => Some(&self.get_not_modified),
            _ => None,
        };
        if let Some((count, duration)) = found {
            count.inc();
            duration.observe(seconds);
            return;
        }
        let route = self.route;
        self.metrics.http_requests.get_or_create(&Request { route, method, status }).inc();
        self.metrics.http_request_duration.get_or_create(&Route { route, status }).observe(seconds);
    }
}
