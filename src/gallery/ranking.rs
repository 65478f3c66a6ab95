//! The ranking of all persons, in memory: one scan of their table feeds every page that is asked for soon after.
//!
//! It is used as long as an answer is fresh, `lists.fresh`, and an answer made of it counts from the moment when it was read
//! ([`Part::read_at`]): the two times do not add up. See docs/decisions/0021.
//!
//! Where not everybody fits into its memory, it is the ranking's head, and a page behind that scans for itself. Such a scan keeps
//! no more than the page, and few run at once.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::GalleryError;
use super::refills::{Outcome, Refills, Waiting};
use crate::catalog::Person;
use crate::clock::Clock;
use crate::domain::{PersonId, PhotoCount};
use crate::telemetry::metrics::{Metrics, Source};

/// What a person costs beside the texts: the entry, spare room in the list, and what the allocator adds to two texts. An estimate
/// from above.
const PERSON_BYTES: usize = size_of::<Person>() + size_of::<Person>() / SPARE + 2 * 16;
/// The list grows by one part in so many, not to twice its size: it is the largest thing in memory.
const SPARE: usize = 8;

/// Scans of single pages at once: each holds a page of DynamoDB's, up to a megabyte of JSON and what is made of it, which no bound in
/// bytes sees.
const SCANS_ALONE: usize = 4;

/// How the ranking is kept.
#[derive(Clone, Copy, Debug)]
pub struct RankingOptions {
    /// `lists.fresh`; zero keeps none, and each page scans for itself.
    pub fresh: Duration,
    /// Its bound, in bytes; while it is read as well.
    pub memory: usize,
    /// The longest that reading it may take.
    pub deadline: Duration,
}

/// The ranking that all pages share.
pub struct SharedRanking {
    clock: Clock,
    options: RankingOptions,
    present: Mutex<Option<Arc<Ranking>>>,
    /// The last one that had room, when the ranking that was read last was not whole.
    head_end: Mutex<Option<Ranked>>,
    reading: Refills<(), Arc<Ranking>>,
    alone: Semaphore,
    metrics: Metrics,
}

/// A place in the ranking, that of a person whether there is one or not.
pub(super) type Position = (PhotoCount, PersonId);

/// Some of the ranking.
pub(super) struct Part {
    /// From the largest count, ties by identifier.
    pub(super) persons: Vec<Person>,
    /// Whether others follow.
    pub(super) has_more: bool,
    /// When the table was read.
    pub(super) read_at: Timestamp,
}

/// Takes what a scan brings, in any order, and keeps the first of the ranking: as many as there is room for.
pub(super) struct Gathering {
    /// Only who comes behind it.
    after: Option<Position>,
    room: Room,
    /// The last of the ranking on top.
    first: BinaryHeap<Ranked>,
    bytes: usize,
    /// The first one without room. Nobody behind is taken, or a small one there would leave a hole.
    left_out: Option<Ranked>,
}

#[derive(Clone, Copy)]
struct Room {
    persons: usize,
    bytes: usize,
}

/// What one scan has found.
struct Ranking {
    persons: Vec<Ranked>,
    bytes: usize,
    /// Nobody was left out at its end.
    is_whole: bool,
    read_at: Timestamp,
}

/// Ordered as in the ranking.
struct Ranked(Person);

impl SharedRanking {
    /// Nothing is read yet.
    pub fn new(options: RankingOptions, clock: Clock, metrics: Metrics) -> Self {
        Self {
            clock,
            options,
            present: Mutex::default(),
            head_end: Mutex::default(),
            reading: Refills::new(1),
            alone: Semaphore::new(SCANS_ALONE),
            metrics,
        }
    }

    /// At most `limit` persons behind `after`. What is not in memory comes by `scan`, which gives all persons to what it is called
    /// with; one such scan is for all who ask now.
    pub(super) async fn part<S>(
        self: &Arc<Self>,
        after: Option<&Position>,
        limit: usize,
        scan: impl Fn(Gathering) -> S,
    ) -> Result<Part, Arc<GalleryError>>
    where
        S: Future<Output = Result<Gathering, GalleryError>> + Send + 'static,
    {
        if !self.options.fresh.is_zero() && !self.is_behind_the_head(after) {
            let (ranking, source) = self.ranking(&scan).await?;
            if ranking.is_whole || ranking.behind(after).len() > limit {
                self.count(source);
                return Ok(ranking.part(after, limit));
            }
        }
        // never closed
        let _place = self.alone.acquire().await.map_err(|_| GalleryError::BrokenOff)?;
        // one more tells whether others follow
        let room = Room { persons: limit + 1, bytes: usize::MAX };
        let gathering = scan(Gathering::new(after.cloned(), room)).await?;
        self.count("alone");
        Ok(gathering.into_ranking(self.clock.now()).part(after, limit))
    }

    /// Whether a page there has nobody of the ranking in memory, as far as it reached when it was read last: then it need not be read
    /// for it.
    fn is_behind_the_head(&self, after: Option<&Position>) -> bool {
        lock(&self.head_end).as_ref().is_some_and(|end| !end.is_behind(after))
    }

    /// The one in memory, or the one that is being read now, with the word for where it comes from.
    async fn ranking<S>(
        self: &Arc<Self>,
        scan: impl Fn(Gathering) -> S,
    ) -> Result<(Arc<Ranking>, &'static str), Arc<GalleryError>>
    where
        S: Future<Output = Result<Gathering, GalleryError>> + Send + 'static,
    {
        if let Some(ranking) = self.fresh() {
            return Ok((ranking, "memory"));
        }
        // a second time for those whose scan was broken off, as with answers
        for _ in 0..2 {
            if let Ok(outcome) = self.read(&scan).await {
                return outcome.map(|ranking| (ranking, "scan"));
            }
        }
        Err(Arc::new(GalleryError::BrokenOff))
    }

    fn fresh(&self) -> Option<Arc<Ranking>> {
        let ranking = lock(&self.present).clone()?;
        let age = self.clock.now().duration_since(ranking.read_at);
        // one from the future: the system's clock was set back, and nobody knows how old it is
        (!age.is_negative() && age.unsigned_abs() < self.options.fresh).then_some(ranking)
    }

    fn read<S>(self: &Arc<Self>, scan: impl Fn(Gathering) -> S) -> Waiting<Arc<Ranking>>
    where
        S: Future<Output = Result<Gathering, GalleryError>> + Send + 'static,
    {
        self.reading.join(
            &(),
            || self.fresh(),
            || {
                let room = Room { persons: usize::MAX, bytes: self.options.memory };
                let (shared, scanning) = (Arc::clone(self), scan(Gathering::new(None, room)));
                async move {
                    let read = tokio::time::timeout(shared.options.deadline, shared.read_with(scanning));
                    read.await.unwrap_or_else(|_| Err(GalleryError::DeadlineExceeded.into()))
                }
            },
        )
    }

    async fn read_with(
        &self,
        scanning: impl Future<Output = Result<Gathering, GalleryError>>,
    ) -> Outcome<Arc<Ranking>> {
        // the old one makes room first: nobody wants it any more. Freeing and sorting a million persons takes a thread long enough
        // to hold up the requests beside it.
        if let Some(old) = lock(&self.present).take() {
            tokio::task::spawn_blocking(move || drop(old));
        }
        let gathering = scanning.await?;
        let read_at = self.clock.now();
        let sorting = tokio::task::spawn_blocking(move || gathering.into_ranking(read_at));
        let ranking = Arc::new(sorting.await.map_err(|_| GalleryError::BrokenOff)?);
        self.metrics.ranking_bytes.set(i64::try_from(ranking.bytes).unwrap_or(i64::MAX));
        let end = ranking.persons.last().filter(|_| !ranking.is_whole);
        *lock(&self.head_end) = end.map(|Ranked(person)| Ranked(person.clone()));
        *lock(&self.present) = Some(Arc::clone(&ranking));
        Ok(ranking)
    }

    fn count(&self, source: &'static str) {
        self.metrics.ranking_pages.get_or_create(&Source { source }).inc();
    }
}

/// For places to put something, which are right at any time.
fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gathering {
    fn new(after: Option<Position>, room: Room) -> Self {
        Self { after, room, first: BinaryHeap::new(), bytes: 0, left_out: None }
    }

    /// One more person.
    pub(super) fn add(&mut self, person: Person) {
        let person = Ranked(person);
        let is_left_out = self.left_out.as_ref().is_some_and(|first| person > *first);
        if is_left_out || !person.is_behind(self.after.as_ref()) {
            return;
        }
        if self.first.len() == self.first.capacity() {
            self.first.reserve_exact(self.first.len() / SPARE + 1);
        }
        self.bytes += person.bytes();
        self.first.push(person);
        while self.bytes > self.room.bytes || self.first.len() > self.room.persons {
            let Some(last) = self.first.pop() else { break };
            self.bytes -= last.bytes();
            self.left_out = Some(last);
        }
    }

    fn into_ranking(self, read_at: Timestamp) -> Ranking {
        let mut persons = self.first.into_vec();
        persons.sort_unstable();
        Ranking { persons, bytes: self.bytes, is_whole: self.left_out.is_none(), read_at }
    }
}

impl Ranking {
    fn behind(&self, after: Option<&Position>) -> &[Ranked] {
        let start = self.persons.partition_point(|person| !person.is_behind(after));
        &self.persons[start..]
    }

    fn part(&self, after: Option<&Position>, limit: usize) -> Part {
        let behind = self.behind(after);
        let persons = behind.iter().take(limit).map(|Ranked(person)| person.clone()).collect();
        Part { persons, has_more: behind.len() > limit, read_at: self.read_at }
    }
}

impl Ranked {
    fn rank(&self) -> (Reverse<PhotoCount>, &PersonId) {
        (Reverse(self.0.photo_count), &self.0.id)
    }

    fn is_behind(&self, position: Option<&Position>) -> bool {
        position.is_none_or(|(count, id)| self.rank() > (Reverse(*count), id))
    }

    /// What it takes in memory.
    fn bytes(&self) -> usize {
        PERSON_BYTES + self.0.id.as_str().len() + self.0.rep_thumb_key.as_ref().map_or(0, |key| key.len())
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}
impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Ranked {}

impl std::fmt::Debug for SharedRanking {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SharedRanking").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
