//! One refill per key at a time in the process, whoever asks for it, on whichever thread.
//!
//! A refill is a task of its own: a client that goes away takes nothing with it. Those who wait share its outcome; when it is
//! broken off, by a panic or with its thread, they hear that too, and the key is free for the next one.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::GalleryError;

/// How a refill ends for all who wait.
pub(super) type Outcome<T> = Result<T, Arc<GalleryError>>;

/// Waits for it; an error when it was broken off.
pub(super) type Waiting<T> = Shared<oneshot::Receiver<Outcome<T>>>;

/// The refills that run now.
pub(super) struct Refills<K: Eq + Hash, T> {
    running: Arc<Mutex<HashMap<K, Waiting<T>>>>,
    most: usize,
}

impl<K, T> Refills<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// At most `most` at once: those behind stale answers are nobody's request, so that the bound on requests does not bound them.
    pub(super) fn new(most: usize) -> Self {
        Self { running: Arc::default(), most }
    }

    /// Joins the key's refill, or starts one: unless `already` has what it would bring, `work` runs to its end and is told to
    /// all who joined meanwhile.
    pub(super) fn join<W>(
        &self,
        key: &K,
        already: impl FnOnce() -> Option<T>,
        work: impl FnOnce() -> W,
    ) -> Waiting<T>
    where
        W: Future<Output = Outcome<T>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let told = told.shared();
        {
            let mut running = lock(&self.running);
            if let Some(waiting) = running.get(key) {
                return waiting.clone();
            }
            // looked at while no refill can end: one may have between the caller's own look and this one
            if let Some(brought) = already() {
                // there is a receiver
                let _ = tell.send(Ok(brought));
                return told;
            }
            if running.len() >= self.most {
                let _ = tell.send(Err(Arc::new(GalleryError::Overloaded)));
                return told;
            }
            running.insert(key.clone(), told.clone());
        }
        let place = Place { running: Arc::clone(&self.running), key: key.clone() };
        let refill = Refill { place, tell };
        let work = work().in_current_span();
        // not under the lock: a runtime that is ending drops the task at once, and with it the place
        tokio::spawn(async move {
            let refill = refill;
            let outcome = work.await;
            let Refill { place, tell } = refill;
            drop(place);
            // everyone may have gone
            let _ = tell.send(outcome);
        });
        told
    }
}

fn lock<M>(running: &Mutex<M>) -> MutexGuard<'_, M> {
    // no critical section panics half way
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a running refill holds. The order of the fields is the order of their end: who hears that it was broken off finds the
/// place free.
struct Refill<K: Eq + Hash, T> {
    place: Place<K, T>,
    tell: oneshot::Sender<Outcome<T>>,
}

/// A key's place among the running refills; its drop makes it free, also in a panic.
struct Place<K: Eq + Hash, T> {
    running: Arc<Mutex<HashMap<K, Waiting<T>>>>,
    key: K,
}

impl<K: Eq + Hash, T> Drop for Place<K, T> {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.key);
    }
}
