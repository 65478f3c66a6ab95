//! Everything that knows actix: routes, middleware, answers, errors.

mod accept_encoding;
mod access_log;
mod caller;
mod connection;
mod cors;
mod error;
mod limit;
mod openapi;
mod ops;
mod page_query;
mod person_photos;
mod persons;
mod refused_head;
mod reply;
mod request_id;
mod route_metrics;
pub mod server;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpRequest, HttpResponse, web};

use self::error::ApiError;
pub use self::openapi::document_text;
use self::route_metrics::RouteMetrics;
use crate::config::AllowedOrigins;
use crate::gallery::Gallery;
use crate::telemetry::metrics::Metrics;

/// The route of the ranking.
const PERSONS: &str = "/persons";
/// The route of a person's photos.
const PERSON_PHOTOS: &str = "/persons/{personId}/photos";
/// The route of health.
const HEALTHZ: &str = "/healthz";
/// The route of readiness.
const READYZ: &str = "/readyz";
/// The route of the metrics.
const METRICS: &str = "/metrics";
/// The route of the document about all of them.
const OPENAPI: &str = "/openapi.json";

/// What all handlers share.
#[derive(Debug)]
pub struct Shared {
    /// The two answers.
    pub gallery: Gallery,
    /// Counted into.
    pub metrics: Metrics,
    /// Requests worked on at once.
    pub max_in_flight: usize,
    /// Requests being worked on now, on all workers.
    pub in_flight: AtomicUsize,
    /// Whose pages may read the answers.
    pub origins: AllowedOrigins,
    /// Whether there is a page to look at.
    pub viewer: bool,
    /// The service is about to end: readiness is off and connections close after their answer.
    pub draining: Arc<AtomicBool>,
}

/// The application of one worker.
fn application(
    shared: web::Data<Shared>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let metrics = shared.metrics.clone();
    let cors = cors::policy(&shared.origins);
    let has_viewer = shared.viewer;
    App::new()
        .app_data(shared)
        .app_data(RouteMetrics::new(&metrics, access_log::OTHER))
        .service(resource(PERSONS, persons::get_persons, &metrics))
        .service(resource(PERSON_PHOTOS, person_photos::get_person_photos, &metrics))
        .service(resource(HEALTHZ, ops::get_healthz, &metrics))
        .service(resource(READYZ, ops::get_readyz, &metrics))
        .service(resource(METRICS, ops::get_metrics, &metrics))
        .service(resource(OPENAPI, openapi::get_openapi, &metrics))
        .configure(|services| {
            if has_viewer {
                services.service(resource(viewer::PAGE, viewer::get_page, &metrics)).service(resources(
                    viewer::paths(),
                    viewer::FILES,
                    viewer::get_file,
                    &metrics,
                ));
            }
        })
        .default_service(web::to(unknown_path))
        .wrap(cors)
        .wrap(from_fn(access_log::record))
}

/// A path that answers `GET` and `HEAD`, and 405 to the rest.
fn resource<F, Args>(path: &'static str, handler: F, metrics: &Metrics) -> actix_web::Resource
where
    F: actix_web::Handler<Args> + Copy,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    resources(vec![path], path, handler, metrics)
}

/// Several such paths, which are one route in the metrics.
fn resources<F, Args>(
    paths: Vec<&'static str>,
    route: &'static str,
    handler: F,
    metrics: &Metrics,
) -> actix_web::Resource
where
    F: actix_web::Handler<Args> + Copy,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::resource(paths)
        .app_data(RouteMetrics::new(metrics, route))
        .route(web::get().to(handler))
        .route(web::head().to(handler))
        .default_service(web::to(method_not_allowed))
}

async fn unknown_path(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.uri().path();
    Err(if path.starts_with("/persons/") && path.ends_with("/photos") {
        ApiError::BadPath
    } else {
        ApiError::NotFound(path.to_owned())
    })
}

async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::MethodNotAllowed(request.uri().path().to_owned()))
}
