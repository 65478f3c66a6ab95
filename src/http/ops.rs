//! What load balancers and monitoring ask.

use std::sync::atomic::Ordering;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::error::ApiError;
use crate::gallery::Report;

/// The media type of the metrics.
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What health and `OPTIONS` say.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always true.
    ok: bool,
}

impl Alive {
    /// There is nothing else to say.
    pub(super) const OK: Self = Self { ok: true };
}

/// The process answers: nothing else is checked, so that a fault of a dependency restarts nobody.
pub(super) async fn get_healthz() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Alive::OK)
}

/// New requests are welcome here: the tables were reached, there are credentials, and the service is not about to end.
pub(super) async fn get_readyz(shared: web::Data<Shared>) -> Result<HttpResponse, ApiError> {
    let readiness = shared.gallery.readiness();
    if shared.draining.load(Ordering::Relaxed) {
        return Err(ApiError::NotReady("draining", Report { ready: false, ..readiness.known_now() }));
    }
    let report = readiness.report().await;
    if !report.ready {
        return Err(ApiError::NotReady(report.reason(), report));
    }
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(report))
}

/// All metrics in the text format of OpenMetrics, which Prometheus reads.
pub(super) async fn get_metrics(shared: web::Data<Shared>) -> Result<HttpResponse, ApiError> {
    let is_ready =
        shared.gallery.readiness().report().await.ready && !shared.draining.load(Ordering::Relaxed);
    shared.metrics.ready.set(i64::from(is_ready));
    shared.metrics.credentials_end.set(shared.gallery.credentials_end());
    let text = shared.metrics.render().map_err(|error| ApiError::Unrendered(error.into()))?;
    Ok(HttpResponse::Ok()
        .content_type(OPENMETRICS)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}
