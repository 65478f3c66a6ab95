//! What load balancers and monitoring ask.

use std::sync::atomic::Ordering;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::error::ApiError;

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

/// What readiness says; who is not ready answers with an error.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Always true.
    ready: bool,
}

/// The process answers: nothing else is checked, so that a fault of a dependency restarts nobody.
pub(super) async fn get_healthz() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Alive::OK)
}

/// New requests are welcome here: there are credentials, and the service is not about to end.
pub(super) async fn get_readyz(shared: web::Data<Shared>) -> Result<HttpResponse, ApiError> {
    if shared.draining.load(Ordering::Relaxed) {
        return Err(ApiError::NotReady("draining"));
    }
    shared.gallery.check_credentials().await.map_err(|_| ApiError::NotReady("no credentials"))?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(Readiness { ready: true }))
}

/// All metrics in the text format of OpenMetrics, which Prometheus reads.
pub(super) async fn get_metrics(shared: web::Data<Shared>) -> Result<HttpResponse, ApiError> {
    let text = shared.metrics.render().map_err(|error| ApiError::Unrendered(error.into()))?;
    Ok(HttpResponse::Ok()
        .content_type(OPENMETRICS)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}
