//! Whether requests are welcome here, told from how calls end anyway.
//!
//! A check runs at most once a second, however many ask, and as a task of its own: who asks waits for it a second at most and is
//! then told what is known. It asks DynamoDB only about tables of which nothing was heard lately.
//!
//! What makes an instance unready must be its own trouble, or one slow table takes all instances out at once: see
//! docs/decisions/0017.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::Pages;
use crate::catalog::{Contact, Table};
use crate::clock::Clock;
use crate::shared_cache;

/// How long a check counts, in seconds.
const SECONDS_BETWEEN_CHECKS: i64 = 1;
/// The longest that somebody who asks waits for the check that runs.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// After so many seconds without an answer of a table, a check asks for one.
const SECONDS_WITHOUT_NEWS: i64 = 10;

/// What is known about this instance's readiness.
#[derive(Debug)]
pub struct Readiness {
    pages: Arc<Pages>,
    clock: Clock,
    unready_after_seconds: i64,
    known: Mutex<Known>,
    /// Whether a check runs.
    checking: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Known {
    checked_at: Option<Timestamp>,
    credentials_alive: bool,
    tables: [Way; 3],
}

/// What calls have told about the way to one table.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    counted: Contact,
    /// It was there and readable, once.
    was_read: bool,
    answered_at: Option<Timestamp>,
    /// The first and the last call without an answer, since the last answer.
    silence: Option<(Timestamp, Timestamp)>,
}

/// Each part of readiness with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Ready)]
pub struct Report {
    /// Whether new requests are welcome.
    pub ready: bool,
    /// The way to each table.
    pub tables: Tables,
    /// Whether URLs can be signed.
    pub credentials: CredentialsWord,
    /// Only told: it never makes an instance unready.
    pub redis: RedisWord,
}

/// The way to each table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names of the tables")]
pub struct Tables {
    pub persons: TableWord,
    pub occurrences: TableWord,
    pub photos: TableWord,
}

/// The way to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableWord {
    /// It was read since the start, and nothing says that this instance has lost its way to it.
    Reached,
    /// It was never read since the start.
    Unknown,
    /// Calls have had no answer for `server.unready_after`.
    Unreachable,
}

/// Whether URLs can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsWord {
    /// They can.
    Alive,
    /// There are no credentials, or they have ended.
    Missing,
}

/// The state of the cache that instances share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedisWord {
    /// None is set.
    Off,
    /// In use.
    Used,
    /// It fails, and no request waits for it.
    Failing,
}

impl Readiness {
    pub(super) fn new(pages: Arc<Pages>, clock: Clock, unready_after: Duration) -> Self {
        Self {
            pages,
            clock,
            unready_after_seconds: i64::try_from(unready_after.as_secs()).unwrap_or(i64::MAX),
            known: Mutex::default(),
            checking: watch::Sender::new(false),
        }
    }

    /// What is known, after a check when the last one is a second old.
    pub async fn report(self: &Arc<Self>) -> Report {
        self.check_if_due();
        let mut checking = self.checking.subscribe();
        // an error is impossible while `self` holds the sender, and late is as good as never
        let _ = tokio::time::timeout(LONGEST_WAIT, checking.wait_for(|running| !running)).await;
        self.known_now()
    }

    /// What is known without looking.
    pub fn known_now(&self) -> Report {
        let mut known = self.known();
        self.observe(&mut known);
        let [persons, occurrences, photos] = known.tables.map(|way| way.word(self.unready_after_seconds));
        let tables = Tables { persons, occurrences, photos };
        let credentials =
            if known.credentials_alive { CredentialsWord::Alive } else { CredentialsWord::Missing };
        let redis = match self.pages.shared.state() {
            shared_cache::State::Off => RedisWord::Off,
            shared_cache::State::Closed => RedisWord::Used,
            shared_cache::State::Open => RedisWord::Failing,
        };
        let ready = known.credentials_alive
            && [persons, occurrences, photos].into_iter().all(|word| word == TableWord::Reached);
        Report { ready, tables, credentials, redis }
    }

    fn check_if_due(self: &Arc<Self>) {
        {
            let mut known = self.known();
            let now = self.clock.now();
            let since = known.checked_at.map(|at| now.as_second() - at.as_second());
            if since.is_some_and(|seconds| seconds < SECONDS_BETWEEN_CHECKS)
                || self.checking.send_replace(true)
            {
                return;
            }
            known.checked_at = Some(now);
        }
        let running = Running(Arc::clone(self));
        tokio::spawn(async move { running.0.check().await });
    }

    async fn check(&self) {
        let silent: Vec<Table> = {
            let mut known = self.known();
            self.observe(&mut known);
            let now = self.clock.now();
            Table::ALL.into_iter().filter(|table| known.tables[*table as usize].wants_news(now)).collect()
        };
        let probes = join_all(silent.into_iter().map(|table| self.pages.catalog.probe(table)));
        let credentials = async {
            let alive = self.pages.urls.check_credentials().await.is_ok();
            self.known().credentials_alive = alive;
        };
        join(probes, credentials).await;
        self.observe(&mut self.known());
    }

    fn observe(&self, known: &mut Known) {
        let now = self.clock.now();
        for table in Table::ALL {
            known.tables[table as usize].observe(self.pages.catalog.contact(table), now);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // each of its fields is right at any time
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running check; its drop ends the waiting, also after a panic.
struct Running(Arc<Readiness>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.checking.send_replace(false);
    }
}

impl Way {
    /// Takes note of what was counted since the last look. An answer weighs more than a silence in between.
    fn observe(&mut self, counted: Contact, now: Timestamp) {
        let before = std::mem::replace(&mut self.counted, counted);
        self.was_read |= counted.read > before.read;
        if counted.read > before.read || counted.answered > before.answered {
            self.answered_at = Some(now);
            self.silence = None;
        } else if counted.unanswered > before.unanswered {
            let first = self.silence.map_or(now, |(first, _)| first);
            self.silence = Some((first, now));
        }
    }

    fn wants_news(&self, now: Timestamp) -> bool {
        let is_recent = |at: Timestamp| now.as_second() - at.as_second() < SECONDS_WITHOUT_NEWS;
        !self.was_read || self.silence.is_some() || !self.answered_at.is_some_and(is_recent)
    }

    fn word(self, unready_after_seconds: i64) -> TableWord {
        let silent_for = self.silence.map(|(first, last)| last.as_second() - first.as_second());
        if silent_for.is_some_and(|seconds| seconds >= unready_after_seconds) {
            TableWord::Unreachable
        } else if self.was_read {
            TableWord::Reached
        } else {
            TableWord::Unknown
        }
    }
}

impl Report {
    /// What keeps the instance from being ready, first things first.
    pub fn reason(&self) -> &'static str {
        let Tables { persons, occurrences, photos } = self.tables;
        let tables = [persons, occurrences, photos];
        if self.credentials == CredentialsWord::Missing {
            "no credentials"
        } else if tables.contains(&TableWord::Unreachable) {
            "a table is unreachable"
        } else if tables.contains(&TableWord::Unknown) {
            "a table was not reached yet"
        } else {
            "ready"
        }
    }
}
