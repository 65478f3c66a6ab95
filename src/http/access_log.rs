//! The one layer around all routes and their CORS: it writes errors as JSON, makes the contract's answer to `OPTIONS`, adds the
//! headers that every answer carries, and counts and logs the request. One, because a warm answer passes it, and each layer
//! costs it a boxed future.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use tracing::{Instrument, field};

use super::error::{ApiError, MAX_TARGET_BYTES};
use super::ops::Alive;
use super::request_id::{REQUEST_ID, RequestId};
use super::route_metrics::RouteMetrics;
use super::{Shared, caller, cors};
use crate::clock::Stopwatch;
use crate::config::AllowedOrigins;
use crate::telemetry::metrics;
use crate::telemetry::request_span::RequestSpan;
use crate::telemetry::trace_context::TraceId;

/// For routes and methods that are not ours.
pub(super) const OTHER: &str = "other";

/// Works on one request, and on its answer as it leaves.
pub(super) async fn record(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let watch = Stopwatch::start();
    let method = request.method().clone();
    let label = method_label(&method);
    let span = caller::of(request.headers(), |caller| RequestSpan::begin(label, caller));

    let (request, mut response) = if is_too_long(request.uri()) {
        (request.into_parts().0, HttpResponse::from_error(ApiError::TargetTooLong))
    } else {
        let answered = next.call(request).instrument(span.span()).await?;
        answered.map_into_boxed_body().into_parts()
    };
    let id = RequestId::of(&request);
    let mut failure = None;
    if let Some(error) = response.error().and_then(|error| error.as_error::<ApiError>()) {
        failure = Some(error.chain());
        let mut rendered = error.respond(id.as_str());
        cors::carry_over(response.headers(), rendered.headers_mut());
        response = rendered;
    }
    if method == Method::OPTIONS {
        // on any path, whatever else it would have been
        let mut ok = HttpResponse::Ok().json(Alive::OK);
        cors::carry_over(response.headers(), ok.headers_mut());
        response = ok;
        failure = None;
    }

    if let Some(shared) = request.app_data::<web::Data<Shared>>() {
        add_common_headers(response.headers_mut(), &id, &shared.origins);
        if shared.draining.load(Ordering::Relaxed) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
    }

    let elapsed = watch.elapsed();
    let mut answered = metrics::Request { route: OTHER, method: label, status: response.status().as_u16() };
    if let Some(metrics) = request.app_data::<RouteMetrics>() {
        metrics.count(answered.method, answered.status, elapsed);
        answered.route = metrics.route();
    }
    log(&answered, Some(elapsed), id.as_str(), span.trace_id(), failure.as_deref());
    span.end(answered.method, answered.route, answered.status);
    Ok(ServiceResponse::new(request, response))
}

/// What every answer carries.
pub(super) fn add_common_headers(headers: &mut HeaderMap, id: &RequestId, origins: &AllowedOrigins) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static(REQUEST_ID), id.header());
    cors::welcome_everyone(origins, headers);
}

/// The one line of a request. What failed stands in it, not in the answer.
pub(super) fn log(
    answered: &metrics::Request,
    elapsed: Option<Duration>,
    request_id: &str,
    trace_id: Option<TraceId>,
    failure: Option<&str>,
) {
    let metrics::Request { route, method, status } = *answered;
    let milliseconds = elapsed.map(|elapsed| elapsed.as_secs_f64() * 1000.0);
    let trace_id = trace_id.map(field::display);
    if status >= 500 {
        tracing::warn!(method, route, status, milliseconds, request_id, trace_id, failure, "answered");
    } else {
        tracing::info!(method, route, status, milliseconds, request_id, trace_id, failure, "answered");
    }
}

/// Longer than any path and query that means something here.
fn is_too_long(uri: &Uri) -> bool {
    uri.path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES)
}

/// A bounded set of words, whatever clients send.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => OTHER,
    }
}
