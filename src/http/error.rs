//! The one table from error to status and JSON.
//!
//! What a client did wrong is told to the client; what a dependency did wrong is told to the log, and the client hears
//! only that it should come back. Nothing here names an internal.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::domain::PersonIdError;
use crate::gallery::{GalleryError, Report};

/// What every path answers.
const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";
/// The longest path and query together: a name of 2,048 bytes and a cursor, all of it percent-encoded, have room.
pub(super) const MAX_TARGET_BYTES: usize = 16 << 10;
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
    /// More path and query than anything here needs.
    #[error("path and query: accepted are up to {MAX_TARGET_BYTES} bytes")]
    TargetTooLong,
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
    /// Readiness is off: why, and each of its parts.
    #[error("not ready: {0}")]
    NotReady(&'static str, Report),
    /// An answer could not be written as text.
    #[error("an answer could not be rendered")]
    Unrendered(#[source] Box<dyn std::error::Error>),
}

impl From<Arc<GalleryError>> for ApiError {
    fn from(error: Arc<GalleryError>) -> Self {
        match &*error {
            GalleryError::Cursor => Self::Query(error.to_string()),
            GalleryError::Unrendered(_) => Self::Unrendered(Box::new(error)),
            GalleryError::Overloaded => Self::Overloaded,
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
    #[serde(flatten)]
    readiness: Option<&'a Report>,
}

impl ApiError {
    /// The error and its sources, for the one line in the access log.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
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

    /// What the client gets.
    pub(super) fn respond(&self, request_id: &str) -> HttpResponse {
        let own_text = self.to_string();
        let (status, text, path) = match self {
            Self::BadPath | Self::PersonId(_) | Self::Query(_) => {
                (StatusCode::BAD_REQUEST, own_text.as_str(), None)
            }
            Self::TargetTooLong => (StatusCode::URI_TOO_LONG, own_text.as_str(), None),
            Self::NotFound(path) => (StatusCode::NOT_FOUND, own_text.as_str(), Some(path)),
            Self::MethodNotAllowed(path) => (StatusCode::METHOD_NOT_ALLOWED, own_text.as_str(), Some(path)),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "too many requests, try again soon", None),
            Self::Gallery(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable, try again soon", None)
            }
            Self::NotReady(reason, _) => (StatusCode::SERVICE_UNAVAILABLE, *reason, None),
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
        let readiness = if let Self::NotReady(_, report) = self { Some(report) } else { None };
        answer.json(Body { error: text, path: path.map(String::as_str), request_id, readiness })
    }
}

// Only carries the error to the layer around all routes, which knows the request and lets it answer.
impl ResponseError for ApiError {}
