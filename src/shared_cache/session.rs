//! What one request has of the cache: a connection, and a time after which it goes on without.

use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::breaker::Use;
use super::commands::{self, Answer};
use super::servers::Connection;
use super::{Failure, Put, PutOutcome, Shared, Unavailable};
use crate::clock::Stopwatch;

/// What one request has of the cache. All its waits together take `redis.deadline` at most, and after the first failure
/// there are none.
///
/// Any call may be dropped at any point, as happens when a client goes away. The connection stays in step: redis-rs hands each
/// call to the task that owns the connection, with a channel for its answer; the task takes the answers in the order of what
/// it sent, and throws away those whose channel is closed (`aio/multiplexed_connection.rs`, `PipelineSink::send_result`).
pub struct Session {
    shared: Option<Arc<Shared>>,
    connection: Option<Connection>,
    left: Duration,
    has_failed: bool,
}

impl Session {
    pub(super) fn new(shared: Option<Arc<Shared>>) -> Self {
        let left = shared.as_ref().map_or(Duration::ZERO, |shared| shared.deadline);
        Self { shared, connection: None, left, has_failed: false }
    }

    /// Whether a Redis is set, healthy or not.
    pub fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// The values of the keys, in their order, in one round trip. A value of another type reads as none, and in a Cluster
    /// so does one whose node gave no answer.
    pub async fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Unavailable> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.call("get", Use::Read, |connection, left| commands::get_many(connection, keys, left)).await
    }

    /// Writes all of them in one round trip; the outcomes are in their order. One that is refused costs the others nothing.
    pub async fn put_many(&mut self, puts: &[Put]) -> Result<Vec<PutOutcome>, Unavailable> {
        if puts.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self
            .call("put", Use::Write, |connection, left| commands::put_many(connection, puts, left))
            .await?;
        if let Some(shared) = &self.shared {
            shared.count_puts(&outcomes);
        }
        Ok(outcomes)
    }

    /// One use of Redis with what is left of the time.
    #[tracing::instrument(
        level = "debug", name = "redis", skip_all,
        fields(otel.name = operation, otel.kind = "client", otel.status_code, db.system.name = "redis", db.operation.name = operation)
    )]
    async fn call<T, F>(
        &mut self,
        operation: &'static str,
        used: Use,
        exchange: impl FnOnce(Connection, Duration) -> F,
    ) -> Result<Vec<T>, Unavailable>
    where
        F: Future<Output = Result<Answer<T>, Failure>>,
    {
        let shared = self.shared.clone().ok_or(Unavailable::Off)?;
        if self.has_failed || self.left.is_zero() || !shared.permits() {
            shared.metrics.redis_skipped.inc();
            return Err(Unavailable::Skipped);
        }
        let connection = self.connection(&shared).await?;
        let waited = Stopwatch::start();
        let answered = exchange(connection, self.left).await;
        let (values, failure) = match answered {
            // a node of a Cluster is missing, and this request has waited for it long enough
            Ok(Answer { values, failure: Some(Failure::TimedOut) }) => (Ok(values), Some(Failure::TimedOut)),
            // or it is known to be missing, which costs little: the others go on
            Ok(Answer { values, .. }) => (Ok(values), None),
            Err(failure) => (Err(shared.unavailable(failure.clone())), Some(failure)),
        };
        self.settle(&shared, operation, used, waited, failure.as_ref());
        if failure.is_none() {
            shared.succeeded(used);
        }
        values
    }

    /// The connection that this session began with, or a new one.
    async fn connection(&mut self, shared: &Shared) -> Result<Connection, Unavailable> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let waited = Stopwatch::start();
        let connected = shared.connect(self.left).await;
        self.settle(shared, "connect", Use::Read, waited, connected.as_ref().err());
        let connection = connected.map_err(|failure| shared.unavailable(failure))?;
        Ok(self.connection.insert(connection).clone())
    }

    /// Counts a wait, and takes it from the time that is left. A failure ends the session.
    fn settle(
        &mut self,
        shared: &Shared,
        operation: &'static str,
        used: Use,
        waited: Stopwatch,
        failure: Option<&Failure>,
    ) {
        self.left = self.left.saturating_sub(waited.elapsed());
        shared.count_call(operation, waited, failure);
        if let Some(failure) = failure {
            self.has_failed = true;
            Span::current().record("otel.status_code", "ERROR");
            shared.failed(used, failure);
        }
    }
}
