//! An emulated DynamoDB: dynoxide's engine behind a thin HTTP front that counts, remembers and misbehaves on
//! demand.
//!
//! Signatures are not verified.

mod faults;
mod operations;

use std::{
    collections::HashMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use dynoxide::Database;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use self::faults::{Fault, Faults};
use super::{COUNTS_PATH, EmulatorError};

/// What stands before the operation's name in `x-amz-target`.
const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// A handle to the emulated DynamoDB: its counters and its faults. Clones share everything.
///
/// A fault lasts until [`heal`](Self::heal) or until another one of the `…_all` replaces it. The SDK retries
/// by itself, so that one call of a client can be counted more than once.
#[derive(Clone)]
pub struct DynamoDbEmulator {
    database: Database,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: HashMap<String, u64>,
    /// The body of the last request of each operation, parsed only when a test asks.
    last_requests: HashMap<String, Bytes>,
    faults: Faults,
}

/// What an answer consists of.
struct Answer {
    status: StatusCode,
    json: String,
}

impl DynamoDbEmulator {
    pub(super) fn new() -> Result<Self, EmulatorError> {
        let database = Database::memory().map_err(|error| EmulatorError::Database(error.to_string()))?;
        Ok(Self { database, state: Arc::default() })
    }

    /// How many requests of this operation have arrived, for example `calls("Query")`.
    pub fn calls(&self, operation: &str) -> u64 {
        self.state().calls.get(operation).copied().unwrap_or(0)
    }

    /// How many requests have arrived.
    pub fn calls_total(&self) -> u64 {
        self.state().calls.values().sum()
    }

    /// Sets all counters to zero and forgets the last requests. Faults stay.
    pub fn reset_counts(&self) {
        let mut state = self.state();
        state.calls.clear();
        state.last_requests.clear();
    }

    /// The last request of this operation as it came over the wire, in DynamoDB's JSON.
    pub fn last_request(&self, operation: &str) -> Option<Value> {
        let body = self.state().last_requests.get(operation).cloned()?;
        serde_json::from_slice(&body).ok()
    }

    /// From now on every call is answered with `ProvisionedThroughputExceededException`.
    pub fn throttle_all(&self) {
        self.state().faults.standing = Fault::Throttle;
    }

    /// The next `calls` calls are throttled, whatever they are.
    pub fn throttle_next(&self, calls: u32) {
        self.state().faults.throttle_next = calls;
    }

    /// From now on every call is answered with status 500 and `InternalServerError`.
    pub fn fail_all(&self) {
        self.state().faults.standing = Fault::Fail;
    }

    /// From now on every call is answered with `AccessDeniedException`.
    pub fn deny_all(&self) {
        self.state().faults.standing = Fault::Deny;
    }

    /// From now on every call of this operation is answered with `AccessDeniedException`.
    pub fn deny(&self, operation: &'static str) {
        self.state().faults.denied_operation = Some(operation);
    }

    /// From now on every call is answered with this error, for example `ExpiredTokenException`.
    pub fn refuse_all(&self, code: &'static str) {
        self.state().faults.standing = Fault::Refuse(code);
    }

    /// From now on every call is accepted and never answered.
    pub fn hang_all(&self) {
        self.state().faults.standing = Fault::Hang;
    }

    /// From now on every call is answered this much later.
    pub fn delay_all(&self, delay: Duration) {
        self.state().faults.standing = Fault::Delay(delay);
    }

    /// Each of the next `calls` calls of `BatchGetItem` (`u32::MAX`: for ever) reads only its first
    /// `processed_keys` keys and returns the others as `UnprocessedKeys`.
    pub fn leave_unprocessed(&self, processed_keys: usize, calls: u32) {
        self.state().faults.unprocessed = faults::Unprocessed { processed_keys, calls };
    }

    /// Ends all faults, for calls that arrive from now on.
    pub fn heal(&self) {
        self.state().faults = Faults::default();
    }

    /// Answers one HTTP request.
    pub(super) async fn answer(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() == COUNTS_PATH {
            let calls = &self.state().calls;
            return Answer { status: StatusCode::OK, json: json!({ "calls": calls }).to_string() }.into();
        }
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let Some(operation) = target.and_then(|target| target.strip_prefix(TARGET_PREFIX)).map(str::to_owned)
        else {
            return faults::unknown_operation().into();
        };
        let Ok(body) = request.into_body().collect().await.map(http_body_util::Collected::to_bytes) else {
            return faults::unreadable_request().into();
        };

        let (fault, kept_keys) = self.note(&operation, &body);
        match fault {
            Fault::None => {}
            Fault::Delay(delay) => tokio::time::sleep(delay).await,
            Fault::Hang => pending().await,
            Fault::Throttle => return faults::throttled().into(),
            Fault::Fail => return faults::internal_error().into(),
            Fault::Deny => return faults::denied(&operation).into(),
            Fault::Refuse(code) => return faults::refused(code).into(),
        }

        let database = self.database;
        let answer = tokio::task::spawn_blocking(move || match kept_keys {
            Some(kept_keys) => operations::run_partial_batch(&database, &body, kept_keys),
            None => operations::run(&database, &operation, &body),
        });
        answer.await.unwrap_or_else(|_panic| faults::internal_error()).into()
    }

    /// Counts and remembers the call, and says how it will be treated.
    fn note(&self, operation: &str, body: &Bytes) -> (Fault, Option<usize>) {
        let mut state = self.state();
        *state.calls.entry(operation.to_owned()).or_default() += 1;
        state.last_requests.insert(operation.to_owned(), body.clone());
        let fault = state.faults.next(operation);
        let kept_keys = if operation == "BatchGetItem" { state.faults.unprocessed.next() } else { None };
        (fault, kept_keys)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole, also one that panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DynamoDbEmulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DynamoDbEmulator").field("calls", &self.state().calls).finish_non_exhaustive()
    }
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let mut response = Response::new(Full::from(answer.json));
        *response.status_mut() = answer.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        response
    }
}

#[cfg(test)]
mod tests;
