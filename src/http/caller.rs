//! `traceparent` and `tracestate`: which trace a request belongs to.

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::telemetry::request_span::Caller;
use crate::telemetry::trace_context::TraceParent;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Gives `then` what the headers say. Two `traceparent` say nothing; several `tracestate` are one list.
pub(super) fn of<T>(headers: &HeaderMap, then: impl FnOnce(Option<Caller<'_>>) -> T) -> T {
    let Some(parent) = parent(headers) else { return then(None) };
    let states: Vec<&str> = headers.get_all(TRACESTATE).filter_map(|state| state.to_str().ok()).collect();
    let state = states.join(",");
    then(Some(Caller { parent, state: Some(state.as_str()).filter(|state| !state.is_empty()) }))
}

fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut parents = headers.get_all(TRACEPARENT);
    let only = parents.next().filter(|_| parents.next().is_none())?;
    TraceParent::parse(only.as_bytes())
}
