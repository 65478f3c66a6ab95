//! Finished answers, given again for as long as the settings allow.
//!
//! | state | since it was last looked after | what happens |
//! | --- | --- | --- |
//! | fresh | less than `lists.fresh` | given |
//! | stale | less than `lists.stale` more | given, while one refill runs |
//! | expired | longer | everyone waits for one refill |
//!
//! A refill that fails looks after the present answer in its own way: it is kept for another turn through these states, so that
//! a DynamoDB that is down is asked once every `lists.fresh` and nobody waits for it. What is never given: an answer one of
//! whose URLs has left its hand-out time, and one without URLs an hour after it was made.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tracing::Instrument;

use super::coding::Coding;
use super::places::WAITING_FOR_EACH;
use super::refills::{Outcome, Refills, Waiting};
use super::rendered::{Page, Rendered};
use super::{GalleryError, PageKey};
use crate::clock::Clock;
use crate::telemetry::metrics::{self, Metrics, Reason};

/// How long an answer without URLs is kept when DynamoDB fails.
const WITHOUT_URLS_SECONDS: i64 = 3600;
/// The cache is told to expect answers of this size, because it makes its shards large enough for 32 of them: 8 MiB. A shard
/// refuses what is larger than itself, and a page of 1,000 photos has more than 3 MB.
const LARGE_ANSWER_BYTES: usize = 256 << 10;

/// How answers are kept.
#[derive(Clone, Copy, Debug)]
pub struct AnswerOptions {
    /// `lists.fresh`; zero keeps none.
    pub fresh: Duration,
    /// `lists.stale`.
    pub stale: Duration,
    /// The bound of all answers together, in bytes.
    pub memory: usize,
    /// The longest that making one may take.
    pub deadline: Duration,
    /// How many are worked on at once, see [`Places`](super::Places): as many times that [`WAITING_FOR_EACH`] wait.
    pub places: usize,
}

/// The answers in memory.
pub struct Answers {
    clock: Clock,
    options: AnswerOptions,
    stored: Cache<PageKey, Stored, ByWeight>,
    refills: Refills<PageKey, Brought>,
    metrics: Metrics,
    given: Given,
}

/// An answer with what the cache needs to know about it.
#[derive(Clone)]
struct Stored {
    rendered: Rendered,
    /// When what it says was read, or when a refill last failed to bring a newer one.
    looked_after: Timestamp,
    /// The last refill failed.
    kept: bool,
    /// Fixed while it is stored, as the cache wants it: see [`Answers::weigh_again`].
    weight: usize,
}

/// What a refill has for those who wait.
#[derive(Clone)]
struct Brought {
    rendered: Rendered,
    /// It is the present answer, because no new one could be made.
    kept: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fresh,
    Stale,
    Expired,
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<PageKey, Stored> for ByWeight {
    fn weight(&self, _: &PageKey, stored: &Stored) -> u64 {
        stored.weight as u64
    }
}

/// Answers given, by state; found once, so that a warm answer does not look for its counter.
struct Given {
    fresh: Counter,
    stale: Counter,
    kept: Counter,
    made: Counter,
    failed: Counter,
}

impl Answers {
    /// Nothing is stored yet.
    pub fn new(options: AnswerOptions, clock: Clock, metrics: Metrics) -> Self {
        let count = |state| metrics.answers.get_or_create_owned(&metrics::State { state });
        // from 0, or an alert does not see the first refusals as an increase
        metrics.http_overload.get_or_create_owned(&Reason::MADE_AT_ONCE);
        Self {
            clock,
            options,
            stored: Cache::with_weighter(
                options.memory / LARGE_ANSWER_BYTES,
                options.memory as u64,
                ByWeight,
            ),
            refills: Refills::new(options.places * (1 + WAITING_FOR_EACH)),
            given: Given {
                fresh: count("fresh"),
                stale: count("stale"),
                kept: count("kept"),
                made: count("made"),
                failed: count("failed"),
            },
            metrics,
        }
    }

    /// The page's answer: the one in memory, or what `load` makes of the tables, once for all who want it now.
    pub(super) async fn get<L>(
        self: &Arc<Self>,
        key: &PageKey,
        load: impl Fn() -> L,
    ) -> Result<Rendered, Arc<GalleryError>>
    where
        L: Future<Output = Result<Page, Arc<GalleryError>>> + Send + 'static,
    {
        if self.options.fresh.is_zero() {
            let made = self.within_deadline(load()).await;
            let made =
                made.map(|page| Brought { rendered: Rendered::new(page, self.clock.now()), kept: false });
            return self.count(made);
        }
        if let Some(stored) = self.stored.get(key) {
            let state = self.state(&stored);
            if state == State::Stale {
                // nobody waits for it
                drop(self.refill(key, &load));
            }
            if state != State::Expired {
                let given = match (stored.kept, state) {
                    (true, _) => &self.given.kept,
                    (false, State::Fresh) => &self.given.fresh,
                    (false, _) => &self.given.stale,
                };
                given.inc();
                return Ok(stored.rendered);
            }
        }
        // a second time for those whose leader was broken off; no more, or a page that always panics is asked for for ever
        for _ in 0..2 {
            if let Ok(outcome) = self.refill(key, &load).await {
                return self.count(outcome);
            }
            self.metrics.answer_refills.get_or_create(&metrics::Outcome { outcome: "lost" }).inc();
        }
        self.count(Err(Arc::new(GalleryError::BrokenOff)))
    }

    /// Notes what `rendered` weighs with a body that it has now and had not when it was stored.
    pub(super) fn weigh_again(&self, key: &PageKey, rendered: &Rendered, coding: Coding) {
        self.metrics.answer_compressions.get_or_create(&metrics::Coding { coding: coding.name() }).inc();
        if let Some(stored) = self.stored.peek(key)
            && stored.rendered.shares_bodies_with(rendered)
        {
            self.store(key, stored);
        }
    }

    fn refill<L>(self: &Arc<Self>, key: &PageKey, load: impl Fn() -> L) -> Waiting<Brought>
    where
        L: Future<Output = Result<Page, Arc<GalleryError>>> + Send + 'static,
    {
        let already = || {
            let stored = self.stored.peek(key)?;
            let is_fresh = self.state(&stored) == State::Fresh;
            is_fresh.then_some(Brought { rendered: stored.rendered, kept: stored.kept })
        };
        self.refills.join(key, already, || {
            let (answers, key, loading) = (Arc::clone(self), key.clone(), load());
            let span = tracing::debug_span!("refill", list = key.list());
            let refill = async move {
                let loaded = answers.within_deadline(loading).await;
                answers.settle(&key, loaded)
            };
            refill.instrument(span)
        })
    }

    /// Stores what a refill brought, or keeps the present answer when it brought nothing.
    fn settle(&self, key: &PageKey, loaded: Result<Page, Arc<GalleryError>>) -> Outcome<Brought> {
        let now = self.clock.now();
        let present = self.stored.peek(key);
        let (outcome, ended) = match loaded {
            Ok(page) => {
                // as old as what it says: a ranking that was in memory has used up some of its time
                let looked_after = page.read_at().unwrap_or(now);
                let mut rendered = Rendered::new(page, now);
                let same = present.is_some_and(|present| rendered.adopt_bodies_of(&present.rendered));
                self.store(key, Stored { rendered: rendered.clone(), looked_after, kept: false, weight: 0 });
                (Ok(Brought { rendered, kept: false }), if same { "unchanged" } else { "changed" })
            }
            Err(error) => {
                let outcome = match present {
                    // the tables are others than they were, and the cursor means nothing in them
                    Some(_) if matches!(*error, GalleryError::Cursor) => {
                        self.stored.remove(key);
                        Err(error)
                    }
                    // nobody has asked the tables: no reason to give on what is old
                    _ if matches!(*error, GalleryError::Overloaded) => Err(error),
                    Some(present) if is_usable(&present.rendered, now) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a list could not be made anew: the present one is given on"
                        );
                        let rendered = present.rendered.clone();
                        self.store(key, Stored { looked_after: now, kept: true, ..present });
                        Ok(Brought { rendered, kept: true })
                    }
                    _ => Err(error),
                };
                (outcome, "failed")
            }
        };
        self.metrics.answer_refills.get_or_create(&metrics::Outcome { outcome: ended }).inc();
        outcome
    }

    fn store(&self, key: &PageKey, stored: Stored) {
        let weight = stored.rendered.weight() + key.heap_bytes();
        self.stored.insert(key.clone(), Stored { weight, ..stored });
        self.metrics.answer_bytes.set(i64::try_from(self.stored.weight()).unwrap_or(i64::MAX));
    }

    fn state(&self, stored: &Stored) -> State {
        let now = self.clock.now();
        let age = now.duration_since(stored.looked_after);
        // an answer from the future: the system's clock was set back, and nobody knows how old it is
        if !is_usable(&stored.rendered, now) || age.is_negative() {
            return State::Expired;
        }
        match age.unsigned_abs() {
            age if age < self.options.fresh => State::Fresh,
            age if age < self.options.fresh + self.options.stale => State::Stale,
            _ => State::Expired,
        }
    }

    async fn within_deadline(
        &self,
        load: impl Future<Output = Result<Page, Arc<GalleryError>>>,
    ) -> Result<Page, Arc<GalleryError>> {
        let made = tokio::time::timeout(self.options.deadline, load).await;
        made.unwrap_or_else(|_| Err(GalleryError::DeadlineExceeded.into()))
    }

    fn count(&self, outcome: Outcome<Brought>) -> Result<Rendered, Arc<GalleryError>> {
        let given = match &outcome {
            Ok(Brought { kept: false, .. }) => &self.given.made,
            Ok(Brought { kept: true, .. }) => &self.given.kept,
            Err(_) => &self.given.failed,
        };
        given.inc();
        if matches!(&outcome, Err(error) if matches!(**error, GalleryError::Overloaded)) {
            self.metrics.http_overload.get_or_create(&Reason::MADE_AT_ONCE).inc();
        }
        outcome.map(|brought| brought.rendered)
    }
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answers").field("options", &self.options).finish_non_exhaustive()
    }
}

fn is_usable(rendered: &Rendered, now: Timestamp) -> bool {
    rendered.usable_until().map_or_else(
        || now.as_second() - rendered.made_at().as_second() < WITHOUT_URLS_SECONDS,
        |until| now < until,
    )
}

#[cfg(test)]
mod tests;
