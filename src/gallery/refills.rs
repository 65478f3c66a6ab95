//! One refill per page at a time in the process, whoever asks for it, on whichever thread.
//!
//! A refill is a task of its own: a client that goes away takes nothing with it. Those who wait share its outcome; when it is
//! broken off, by a panic or with its thread, they hear that too, and the page is free for the next one.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::rendered::Rendered;
use super::{GalleryError, PageKey};
use crate::telemetry::metrics::Reason;

/// How a refill ends for all who wait.
pub(super) type Outcome = Result<Brought, Arc<GalleryError>>;

/// What a refill has for those who wait.
#[derive(Clone)]
pub(super) struct Brought {
    pub(super) rendered: Rendered,
    /// It is the present answer, because no new one could be made.
    pub(super) kept: bool,
}

/// Waits for it; an error when it was broken off.
pub(super) type Waiting = Shared<oneshot::Receiver<Outcome>>;

/// The refills that run now.
#[derive(Clone, Debug)]
pub(super) struct Refills {
    running: Arc<Mutex<HashMap<PageKey, Waiting>>>,
    most: usize,
}

impl Refills {
    /// At most `most` at once: those behind stale answers are nobody's request, so that the bound on requests does not bound them.
    pub(super) fn new(most: usize) -> Self {
        Self { running: Arc::default(), most }
    }

    /// Joins the page's refill, or starts one: unless `already` has what it would bring, `work` runs to its end and is told to
    /// all who joined meanwhile.
    pub(super) fn join<W>(
        &self,
        key: &PageKey,
        already: impl FnOnce() -> Option<Brought>,
        work: impl FnOnce() -> W,
    ) -> Waiting
    where
        W: Future<Output = Outcome> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let told = told.shared();
        {
            let mut running = self.running();
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
                let _ = tell.send(Err(Arc::new(GalleryError::Overloaded(Reason::IN_FLIGHT))));
                return told;
            }
            running.insert(key.clone(), told.clone());
        }
        let refill = Refill { place: Place { refills: self.clone(), key: key.clone() }, tell };
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

    fn running(&self) -> MutexGuard<'_, HashMap<PageKey, Waiting>> {
        // no critical section panics half way
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a running refill holds. The order of the fields is the order of their end: who hears that it was broken off finds the
/// place free.
struct Refill {
    place: Place,
    tell: oneshot::Sender<Outcome>,
}

/// A page's place among the running refills; its drop makes it free, also in a panic.
struct Place {
    refills: Refills,
    key: PageKey,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.refills.running().remove(&self.key);
    }
}
