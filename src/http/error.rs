//! The one table from error to status and JSON.
//!
//! What a client did wrong is told to the client; what a dependency did wrong is told to the log, and the client hears
//! only that it should come back. Nothing here names an internal.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::PersonIdError;
use crate::gallery::{CredentialsWord, GalleryError, RedisWord, Report, Tables};

/// What every path answers.
pub(super) const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";
/// The longest path and query together: a name of 2,048 bytes and a cursor, all of it percent-encoded, have room.
pub(super) const MAX_TARGET_BYTES: usize = 16 << 10;
/// When a client should come back, seconds.
pub(super) const RETRY_AFTER: &str = "1";

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
    /// What came is no request.
    #[error("not a request of HTTP/1.1")]
    NotHttp,
    /// `server.client_request_timeout` has passed.
    #[error("the head of the request did not end in time")]
    HeadTooSlow,
    /// More than the HTTP library reads.
    #[error("head: accepted are up to 128 KiB and 96 headers")]
    HeadTooLarge,
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

/// What every error says.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    /// What is wrong and, where the client can do something about it, what is accepted.
    error: Cow<'a, str>,
    /// The path of the request, where that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    path: Option<&'a str>,
    /// As in `X-Request-Id`, and in the log.
    request_id: &'a str,
}

/// What an instance that is not ready says: an error, and the report.
#[derive(Serialize, ToSchema)]
#[schema(as = NotReady)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotReadyBody<'a> {
    /// Why it is not ready.
    error: &'static str,
    /// As in `X-Request-Id`, and in the log.
    request_id: &'a str,
    /// Always false.
    ready: bool,
    /// The way to each table.
    tables: Tables,
    /// Whether URLs can be signed.
    credentials: CredentialsWord,
    /// Only told: it never makes an instance unready.
    redis: RedisWord,
}

/// The body of an answer that is an error.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Told<'a> {
    Error(Body<'a>),
    NotReady(NotReadyBody<'a>),
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

    /// What the client is told: the status, and what goes into the body.
    pub(super) fn told<'a>(&'a self, request_id: &'a str) -> (StatusCode, Told<'a>) {
        let (status, error, path) = match self {
            Self::BadPath | Self::PersonId(_) | Self::Query(_) | Self::NotHttp => {
                (StatusCode::BAD_REQUEST, self.to_string().into(), None)
            }
            Self::TargetTooLong => (StatusCode::URI_TOO_LONG, self.to_string().into(), None),
            Self::HeadTooSlow => (StatusCode::REQUEST_TIMEOUT, self.to_string().into(), None),
            Self::HeadTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, self.to_string().into(), None)
            }
            Self::NotFound(path) => (StatusCode::NOT_FOUND, self.to_string().into(), Some(path.as_str())),
            Self::MethodNotAllowed(path) => {
                (StatusCode::METHOD_NOT_ALLOWED, self.to_string().into(), Some(path.as_str()))
            }
            Self::Overloaded => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many requests, try again soon".into(), None)
            }
            Self::Gallery(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable, try again soon".into(), None)
            }
            Self::NotReady(error, report) => {
                let Report { ready, tables, credentials, redis } = *report;
                let body = NotReadyBody { error, request_id, ready, tables, credentials, redis };
                return (StatusCode::SERVICE_UNAVAILABLE, Told::NotReady(body));
            }
            Self::Unrendered(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error".into(), None),
        };
        (status, Told::Error(Body { error, path, request_id }))
    }

    /// What the client gets.
    pub(super) fn respond(&self, request_id: &str) -> HttpResponse {
        let (status, body) = self.told(request_id);
        let mut answer = HttpResponse::build(status);
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            answer.insert_header((header::ALLOW, ALLOWED_METHODS));
        }
        answer.json(body)
    }
}

// Only carries the error to the layer around all routes, which knows the request and lets it answer.
impl ResponseError for ApiError {
    fn error_response(&self) -> HttpResponse<BoxBody> {
        // the default writes a text that nobody reads
        HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
