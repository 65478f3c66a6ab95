//! One line a request, its latency, its request id, and the headers that every answer carries.

use std::sync::atomic::Ordering;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use super::error::Failure;
use super::{PERSON_PHOTOS, PERSONS, Shared};
use crate::clock::Stopwatch;
use crate::telemetry::metrics::{Request, Route};

/// The header in which a request id comes and goes.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// The longest request id that is taken over from a caller.
const LONGEST_REQUEST_ID_BYTES: usize = 128;

/// What tells one request from another in logs and error answers: the caller's, when it is harmless, else a random one.
#[derive(Clone, Debug)]
pub(super) struct RequestId(String);

impl RequestId {
    fn of(request: &ServiceRequest) -> Self {
        let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let harmless = given.filter(|id| {
            (1..=LONGEST_REQUEST_ID_BYTES).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte))
        });
        Self(harmless.map_or_else(|| format!("{:032x}", fastrand::u128(..)), ToOwned::to_owned))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The outermost middleware.
pub(super) async fn record(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let watch = Stopwatch::start();
    let id = RequestId::of(&request);
    let method = method_label(request.method());
    request.extensions_mut().insert(id.clone());

    let mut response = next.call(request).await?.map_into_boxed_body();

    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(HeaderName::from_static(REQUEST_ID), value);
    }

    let elapsed = watch.elapsed();
    let route = route_label(response.request().match_pattern().as_deref());
    let status = response.status().as_u16();
    if let Some(shared) = response.request().app_data::<web::Data<Shared>>().cloned() {
        shared.metrics.http_requests.get_or_create(&Request { route, method, status }).inc();
        shared.metrics.http_request_duration.get_or_create(&Route { route }).observe(elapsed.as_secs_f64());
        if shared.draining.load(Ordering::Relaxed) {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
    }
    let failure = response.request().extensions_mut().remove::<Failure>();
    let failure = failure.as_ref().map(|failure| failure.0.as_str());
    let request_id = id.as_str();
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    if status >= 500 {
        tracing::warn!(method, route, status, milliseconds, request_id, failure, "answered");
    } else {
        tracing::info!(method, route, status, milliseconds, request_id, failure, "answered");
    }
    Ok(response)
}

/// A bounded set of words, whatever clients send.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn route_label(pattern: Option<&str>) -> &'static str {
    [PERSONS, PERSON_PHOTOS, "/healthz", "/readyz", "/metrics"]
        .into_iter()
        .find(|route| Some(*route) == pattern)
        .unwrap_or("other")
}
