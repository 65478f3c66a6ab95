//! The one table from error to status and JSON.
//!
//! What a client did wrong is told to the client; what a dependency did wrong is told to the log, and the client hears
//! only that it should come back. Nothing here names an internal.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};
use serde::Serialize;

use super::request_id::RequestId;
use crate::domain::PersonIdError;
use crate::gallery::GalleryError;

/// What every path answers.
const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";
/// When a client should come back, seconds.
const RETRY_AFTER: &str = "1";

/// Everything that is not an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// `/persons/…/photos` with anything but one segment between.
    #[error("bad path")]
    BadPath,
    /// The segment is there, but names nobody.
    #[error(transparent)]
    PersonId(#[from] PersonIdError),
    /// A query parameter; the text says what is wrong and what is accepted.
    #[error("{0}")]
    Query(String),
    /// No such path.
    #[error("not found")]
    NotFound(String),
    /// A known path, another method.
    #[error("method not allowed")]
    MethodNotAllowed(String),
    /// As many requests as allowed are being worked on.
    #[error("too many requests in flight")]
    Overloaded,
    /// No answer, for a reason that the source knows.
    #[error("the gallery failed")]
    Gallery(#[source] Arc<GalleryError>),
    /// Readiness is off.
    #[error("not ready")]
    NotReady(&'static str),
    /// An answer could not be written as text.
    #[error("an answer could not be rendered")]
    Unrendered(#[source] Box<dyn std::error::Error>),
}

impl From<Arc<GalleryError>> for ApiError {
    fn from(error: Arc<GalleryError>) -> Self {
        match &*error {
            GalleryError::Cursor => Self::Query(error.to_string()),
            GalleryError::Unrendered(_) => Self::Unrendered(Box::new(error)),
            GalleryError::Catalog(_)
            | GalleryError::Credentials(_)
            | GalleryError::DeadlineExceeded
            | GalleryError::BrokenOff => Self::Gallery(error),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    request_id: &'a str,
}

impl ApiError {
    fn respond(&self, request_id: &str) -> HttpResponse {
        let own_text = self.to_string();
        let (status, text, path) = match self {
            Self::BadPath | Self::PersonId(_) | Self::Query(_) => {
                (StatusCode::BAD_REQUEST, own_text.as_str(), None)
            }
            Self::NotFound(path) => (StatusCode::NOT_FOUND, own_text.as_str(), Some(path)),
            Self::MethodNotAllowed(path) => (StatusCode::METHOD_NOT_ALLOWED, own_text.as_str(), Some(path)),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "too many requests, try again soon", None),
            Self::Gallery(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable, try again soon", None)
            }
            Self::NotReady(reason) => (StatusCode::SERVICE_UNAVAILABLE, *reason, None),
            Self::Unrendered(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error", None),
        };
        let mut answer = HttpResponse::build(status);
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            answer.insert_header((header::ALLOW, ALLOWED_METHODS));
        }
        answer.json(Body { error: text, path: path.map(String::as_str), request_id })
    }
}

// Only carries the error to `render`, which knows the request and writes the answer.
impl ResponseError for ApiError {}

/// What went wrong, with its sources, for the one line in the access log.
pub(super) struct Failure(pub(super) String);

/// Writes the answer to an error, and keeps its causes for the access log.
pub(super) async fn render(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let Some(error) = response.response().error().and_then(|error| error.as_error::<ApiError>()) else {
        return Ok(response);
    };
    let failure = Failure(chain(error));
    let rendered = error.respond(RequestId::keep(response.request()).as_str());
    response.request().extensions_mut().insert(failure);
    Ok(response.into_response(rendered))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // `transparent` errors and wrappers say what their source says
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
