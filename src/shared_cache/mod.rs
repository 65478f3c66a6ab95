//! The cache that all instances share: keys and bytes in Redis, and the promise that Redis is never required. Slow, full,
//! read-only, gone: a request waits for it `redis.deadline` at most in all, and after a few failures not at all.
//!
//! Knows nothing of what the bytes mean, and trusts nothing that comes back: whoever asked checks it.

mod breaker;
mod commands;
mod console;
mod error;
mod needs;
mod put;
mod servers;
mod session;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool::managed::Pool;

pub use self::console::Console;
pub use self::error::{Failure, SharedCacheError, Unavailable};
pub use self::needs::commands_needed;
pub use self::put::{Put, PutMode, PutOutcome};
pub use self::session::Session;

use self::breaker::{Breaker, Change, Permit, Use};
use self::servers::{Connection, Servers};
use crate::clock::Stopwatch;
use crate::config;
use crate::telemetry::metrics::{Call, Metrics, Operation, Outcome};

/// Keys of a probe, so many that all nodes have some: when one node is missing, requests would wait for it.
const PROBES_OF_A_CLUSTER: usize = 64;

/// How long what a probe writes stays.
const PROBE_TTL: Duration = Duration::from_millis(500);

/// Whether requests wait for Redis now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No Redis is set.
    Off,
    /// Requests wait for it, each as long as the deadline allows.
    Closed,
    /// It has failed, and no request waits for it until it answers a probe.
    Open,
}

/// The cache that all instances share, or none. Clones share connections and breaker.
#[derive(Clone)]
pub struct SharedCache(Option<Arc<Shared>>);

struct Shared {
    /// The URL without user and password.
    redis: String,
    deadline: Duration,
    probe_keys: Vec<String>,
    pool: Pool<Servers>,
    breaker: Mutex<Breaker>,
    /// The breaker's time: since when this process has a cache.
    running: Stopwatch,
    metrics: Metrics,
}

impl fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redis = self.0.as_ref().map_or("off", |shared| &shared.redis);
        write!(f, "SharedCache({redis})")
    }
}

impl SharedCache {
    /// Connects to nothing: the first request that needs a connection does.
    pub fn new(settings: &config::Redis, metrics: Metrics) -> Result<Self, SharedCacheError> {
        let Some(url) = &settings.url else { return Ok(Self(None)) };
        let probes = if url.kind == config::RedisKind::Cluster { PROBES_OF_A_CLUSTER } else { 1 };
        Ok(Self(Some(Arc::new(Shared {
            redis: url.to_string(),
            deadline: settings.deadline,
            probe_keys: (0..probes).map(|index| format!("{}:probe:{index}", settings.namespace)).collect(),
            pool: servers::pool(url, settings)?,
            breaker: Mutex::default(),
            running: Stopwatch::start(),
            metrics,
        }))))
    }

    /// None at all.
    pub fn off() -> Self {
        Self(None)
    }

    /// Whether a Redis is set, healthy or not.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether requests wait for it now.
    pub fn state(&self) -> State {
        match &self.0 {
            None => State::Off,
            Some(shared) if shared.breaker().is_open() => State::Open,
            Some(_) => State::Closed,
        }
    }

    /// What one request has of the cache. Connects when it is first used.
    pub fn session(&self) -> Session {
        Session::new(self.0.clone())
    }

    /// Connects, reads and writes a key of each node, whatever the breaker says: for whoever wants to know what is wrong. Takes up to the time
    /// that a connection may take, and the deadline.
    pub async fn check(&self) -> Result<(), Unavailable> {
        let shared = self.0.as_ref().ok_or(Unavailable::Off)?;
        shared.probe().await.map_err(|failure| shared.unavailable(failure))
    }
}

/// Gone before the next probe.
fn probe_put(key: &str) -> Put {
    Put { key: key.to_owned(), value: b"probe".to_vec(), ttl: PROBE_TTL, mode: PutMode::Overwrite }
}

impl Shared {
    /// A connection of the pool, which gets it back at once: it carries many requests at a time, and one that waits for
    /// DynamoDB in between must not keep it from others.
    ///
    /// The checkout goes on when `left` is over: otherwise a connection that takes longer to open than a request may wait
    /// (TLS, Sentinels) would never be opened. The pool's own timeouts end it.
    async fn connect(&self, left: Duration) -> Result<Connection, Failure> {
        let pool = self.pool.clone();
        let checkout = tokio::spawn(async move { pool.get().await.map(|pooled| Connection::clone(&pooled)) });
        match tokio::time::timeout(left, checkout).await {
            Ok(Ok(checkout)) => checkout.map_err(Failure::from),
            // the runtime is ending
            Ok(Err(_)) => Err(Failure::Odd),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// Whether a request may wait for Redis. The one that finds a probe due starts it and does not wait for it.
    fn permits(self: &Arc<Self>) -> bool {
        let permit = self.breaker().ask(self.running.elapsed());
        if permit == Permit::Probe {
            let shared = Arc::clone(self);
            tokio::spawn(async move {
                match shared.probe().await {
                    Ok(()) => {
                        let change = shared.breaker().probe_succeeded();
                        shared.tell(change, None);
                    }
                    Err(failure) => tracing::debug!(redis = shared.redis, %failure, "Redis still fails"),
                }
            });
        }
        permit == Permit::Go
    }

    /// Connects, reads and writes a key of each node, within the deadline once it is connected.
    async fn probe(&self) -> Result<(), Failure> {
        let waited = Stopwatch::start();
        let probed = async {
            let connection = self.connect(servers::CONNECT_TIMEOUT).await?;
            let read = commands::get_many(connection.clone(), &self.probe_keys, self.deadline).await?;
            read.failure.map_or(Ok(()), Err)?;
            let puts: Vec<Put> = self.probe_keys.iter().map(|key| probe_put(key)).collect();
            let written = commands::put_many(connection, &puts, self.deadline).await?;
            // one that is refused is an answer, too: a replica that only reads is better than nothing
            written.failure.map_or(Ok(()), Err)
        }
        .await;
        self.count_call("probe", waited, probed.as_ref().err());
        if probed.is_err() {
            // whatever is wrong with these connections, the next probe begins with a new one
            self.pool.retain(|_, _| false);
        }
        probed
    }

    fn succeeded(&self, used: Use) {
        self.breaker().succeeded(used);
    }

    fn failed(&self, used: Use, failure: &Failure) {
        tracing::debug!(redis = self.redis, %failure, "a call to Redis failed");
        let change = self.breaker().failed(used, self.running.elapsed());
        self.tell(change, Some(failure));
    }

    fn tell(&self, change: Option<Change>, failure: Option<&Failure>) {
        match change {
            None => {}
            Some(Change::Opened) => {
                self.metrics.redis_breaker_open.set(1);
                let failure = failure.map(ToString::to_string);
                tracing::warn!(redis = self.redis, failure, "Redis fails: going on without it");
            }
            Some(Change::Closed) => {
                self.metrics.redis_breaker_open.set(0);
                tracing::info!(redis = self.redis, "Redis answers again");
            }
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // a breaker is a few numbers, each of which is right at any time
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, failure: Failure) -> Unavailable {
        Unavailable::Failed { redis: self.redis.clone(), failure }
    }

    fn count_call(&self, operation: &'static str, waited: Stopwatch, failure: Option<&Failure>) {
        let outcome = failure.map_or("ok", Failure::outcome);
        self.metrics.redis_calls.get_or_create(&Call { operation, outcome }).inc();
        let duration = self.metrics.redis_call_duration.get_or_create(&Operation { operation });
        duration.observe(waited.elapsed().as_secs_f64());
    }

    fn count_puts(&self, outcomes: &[PutOutcome]) {
        for outcome in outcomes {
            let outcome = match outcome {
                PutOutcome::Stored => "stored",
                PutOutcome::Replaced => "replaced",
                PutOutcome::Found(_) => "found",
                PutOutcome::Refused => "refused",
            };
            self.metrics.redis_puts.get_or_create(&Outcome { outcome }).inc();
        }
    }
}
