//! The outermost layer: one line a request, its metrics, its request id, and the headers that every answer carries.

use std::sync::atomic::Ordering;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use super::error::Failure;
use super::request_id::{REQUEST_ID, RequestId};
use super::route_metrics::RouteMetrics;
use super::{Shared, cors, preflight};
use crate::clock::Stopwatch;

/// The outermost middleware.
pub(super) async fn record(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let watch = Stopwatch::start();
    let method = request.method().clone();

    let mut response = next.call(request).await?.map_into_boxed_body();
    if method == Method::OPTIONS {
        response = preflight::answer_options(response);
    }
    let shared = response.request().app_data::<web::Data<Shared>>();
    let (any_origin, draining) =
        shared.map_or((false, false), |shared| (shared.any_origin, shared.draining.load(Ordering::Relaxed)));

    let id = RequestId::of(response.request());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static(REQUEST_ID), id.header());
    if any_origin {
        cors::allow_any_origin(&mut response);
    }

    let elapsed = watch.elapsed();
    let method = method_label(&method);
    let status = response.status().as_u16();
    let mut route = "other";
    if let Some(metrics) = response.request().app_data::<RouteMetrics>() {
        metrics.count(method, status, elapsed);
        route = metrics.route();
    }
    if draining {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    // only an error leaves a failure behind
    let failed = status >= 400;
    let failure = if failed { response.request().extensions_mut().remove::<Failure>() } else { None };
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
