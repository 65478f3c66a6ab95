//! What is counted about the requests of one route. What warm answers count is found once, not at each request.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use crate::telemetry::metrics::{Metrics, Request, Route};

/// The metrics of one route, kept with the route.
pub(super) struct RouteMetrics {
    route: &'static str,
    duration: Histogram,
    get_ok: Counter,
    get_not_modified: Counter,
    metrics: Metrics,
}

impl RouteMetrics {
    /// `route` is a pattern or `other`: bounded, and without anybody's identifier.
    pub(super) fn new(metrics: &Metrics, route: &'static str) -> Self {
        let get =
            |status| metrics.http_requests.get_or_create_owned(&Request { route, method: "GET", status });
        Self {
            route,
            duration: metrics.http_request_duration.get_or_create_owned(&Route { route }),
            get_ok: get(200),
            get_not_modified: get(304),
            metrics: metrics.clone(),
        }
    }

    pub(super) fn route(&self) -> &'static str {
        self.route
    }

    pub(super) fn count(&self, method: &'static str, status: u16, elapsed: Duration) {
        match (method, status) {
            ("GET", 200) => self.get_ok.inc(),
            ("GET", 304) => self.get_not_modified.inc(),
            _ => {
                let labels = Request { route: self.route, method, status };
                self.metrics.http_requests.get_or_create(&labels).inc()
            }
        };
        self.duration.observe(elapsed.as_secs_f64());
    }
}
