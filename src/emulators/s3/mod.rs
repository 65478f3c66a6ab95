//! An emulated S3: s3s verifies signatures and expiry, [`store`] holds the objects, and this file wraps both
//! with what browsers need (CORS, `If-None-Match`) and with counters.
//!
//! Buckets are addressed by path: `http://127.0.0.1:PORT/bucket/key`.

mod credentials;
mod faults;
mod spill;
mod store;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use percent_encoding::percent_decode_str;
use s3s::{
    Body,
    service::{S3Service, S3ServiceBuilder},
};
use serde_json::json;

pub use self::faults::CorsRules;
use self::{
    credentials::KnownCredentials,
    faults::{Faults, Refusal},
    store::Store,
};
use super::{COUNTS_PATH, EmulatorError};

/// A handle to the emulated S3: its counters and the credentials that it knows. Clones share everything.
#[derive(Clone)]
pub struct S3Emulator {
    service: S3Service,
    credentials: KnownCredentials,
    counts: Arc<Mutex<Counts>>,
    faults: Arc<Mutex<Faults>>,
}

/// What the emulated S3 has seen since its start or the last reset.
#[derive(Debug, Default)]
struct Counts {
    /// GET requests by path below the host, percent-decoded: `bucket/key`.
    gets_by_object: HashMap<String, u64>,
    not_modified: u64,
    refused: u64,
    bytes_sent: u64,
}

impl S3Emulator {
    pub(super) fn new() -> Result<Self, EmulatorError> {
        let credentials = KnownCredentials::default();
        let mut builder = S3ServiceBuilder::new(Store::new()?);
        builder.set_auth(credentials.clone());
        builder.set_access(credentials.clone());
        Ok(Self { service: builder.build(), credentials, counts: Arc::default(), faults: Arc::default() })
    }

    /// Accepts requests that are signed with these credentials. With a session token a request must carry
    /// exactly this token.
    pub fn add_credentials(&self, access_key_id: &str, secret_access_key: &str, session_token: Option<&str>) {
        self.credentials.add(access_key_id, secret_access_key, session_token);
    }

    /// How many requests to GET an object have arrived, those included that were refused.
    pub fn gets(&self) -> u64 {
        self.counts().gets_by_object.values().sum()
    }

    /// How many requests to GET this object have arrived.
    pub fn gets_of(&self, bucket: &str, key: &str) -> u64 {
        self.counts().gets_by_object.get(&format!("{bucket}/{key}")).copied().unwrap_or(0)
    }

    /// How many requests were answered with `304 Not Modified`.
    pub fn not_modified(&self) -> u64 {
        self.counts().not_modified
    }

    /// How many requests were refused: a signature that does not match, an expired URL, unknown credentials.
    pub fn refused(&self) -> u64 {
        self.counts().refused
    }

    /// How many bytes of objects were answered to GET requests.
    pub fn bytes_sent(&self) -> u64 {
        self.counts().bytes_sent
    }

    /// Sets all counters to zero.
    pub fn reset_counts(&self) {
        *self.counts() = Counts::default();
    }

    /// From now on every GET of an object is refused with this status, code and sentence.
    pub fn refuse_gets(&self, status: StatusCode, code: &'static str, message: &'static str) {
        self.faults().refusal = Some(Refusal { status, code, message });
    }

    /// From now on these pages may read the objects. At the start, all.
    pub fn set_cors(&self, rules: CorsRules) {
        self.faults().cors = rules;
    }

    /// From now on answers tell this as the bucket's region. At the start they tell none.
    pub fn set_bucket_region(&self, region: &'static str) {
        self.faults().bucket_region = Some(region);
    }

    /// From now on the clock in `Date` is so far ahead; signatures are checked by the true one.
    pub fn set_clock_ahead(&self, ahead: Duration) {
        self.faults().clock_ahead = Some(ahead);
    }

    /// Answers one HTTP request.
    pub(super) async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let faults = self.faults().clone();
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = if request.uri().path() == COUNTS_PATH {
            self.tell_counts()
        } else if request.method() == Method::OPTIONS {
            preflight()
        } else {
            let get = (request.method() == Method::GET).then(|| object_path(request.uri().path())).flatten();
            if let Some(path) = &get {
                *self.counts().gets_by_object.entry(path.clone()).or_default() += 1;
            }
            let if_none_match = request.headers().get(header::IF_NONE_MATCH).cloned();
            let response = match &faults.refusal {
                Some(refusal) if get.is_some() => refusal.response(),
                _ => match self.service.call(request.map(Body::from)).await {
                    Ok(response) => response,
                    Err(_) => status_only(StatusCode::INTERNAL_SERVER_ERROR),
                },
            };
            self.finish(response, get.is_some(), if_none_match.as_ref())
        };
        let headers = response.headers_mut();
        faults.finish(headers, origin.as_ref());
        // not what AWS does: it lets a page see what came from the browser's cache, and how many bytes that saved
        headers.insert("timing-allow-origin", HeaderValue::from_static("*"));
        headers
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag, Content-Length"));
        response
    }

    /// Turns the answer into a 304 where the client has the object already, and counts what became of the
    /// request. The signature has been verified by now: somebody without a valid URL must not learn an
    /// object's state.
    fn finish(
        &self,
        response: Response<Body>,
        is_get: bool,
        if_none_match: Option<&HeaderValue>,
    ) -> Response<Body> {
        let status = response.status();
        let mut counts = self.counts();
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => counts.refused += 1,
            StatusCode::OK if is_get && client_has_it(response.headers(), if_none_match) => {
                counts.not_modified += 1;
                return not_modified(response.headers());
            }
            _ if is_get && status.is_success() => {
                counts.bytes_sent += response.body().size_hint().exact().unwrap_or(0);
            }
            _ => {}
        }
        response
    }

    fn tell_counts(&self) -> Response<Body> {
        let counts = self.counts();
        let gets: u64 = counts.gets_by_object.values().sum();
        let Counts { not_modified, refused, bytes_sent, .. } = *counts;
        let told = json!({
            "gets": gets, "notModified": not_modified, "refused": refused, "bytesSent": bytes_sent,
        });
        let mut response = Response::new(Body::from(told.to_string()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        // each is set as a whole
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Every critical section leaves the counters whole, also one that panicked.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for S3Emulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("S3Emulator").field("counts", &*self.counts()).finish_non_exhaustive()
    }
}

/// `bucket/key`, percent-decoded, when the path names an object.
fn object_path(path: &str) -> Option<String> {
    let path = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    let (_, key) = path.split_once('/')?;
    (!key.is_empty()).then(|| path.clone().into_owned())
}

fn client_has_it(headers: &HeaderMap, if_none_match: Option<&HeaderValue>) -> bool {
    let etag = headers.get(header::ETAG).and_then(|value| value.to_str().ok());
    let candidates = if_none_match.and_then(|value| value.to_str().ok());
    let (Some(etag), Some(candidates)) = (etag, candidates) else { return false };
    candidates.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == etag)
}

fn not_modified(found: &HeaderMap) -> Response<Body> {
    let mut response = status_only(StatusCode::NOT_MODIFIED);
    for name in [header::ETAG, header::CACHE_CONTROL, header::LAST_MODIFIED, header::EXPIRES] {
        if let Some(value) = found.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn preflight() -> Response<Body> {
    let mut response = status_only(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

fn status_only(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;
