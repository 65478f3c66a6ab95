//! How many pages are worked on at once.
//!
//! Work that is begun is finished: with more of it at once than there are processors for, each call to DynamoDB would wait for its
//! turn until its time is over, and be made again. What waits here costs little, and not for long. See
//! docs/decisions/0020.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::GalleryError;

/// How many pages may wait for each place. With more, nobody is served sooner, all wait longer, and what has waited long is no longer
/// in the processor's cache when its turn comes.
pub(super) const WAITING_FOR_EACH: usize = 4;
/// How long a page waits until others are made; then there are too many.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The places of those that are worked on.
#[derive(Debug)]
pub struct Places(Semaphore);

impl Places {
    /// So many: `lists.made_at_once` of all workers.
    pub fn new(places: usize) -> Self {
        Self(Semaphore::new(places))
    }

    /// A place until it is dropped, once others have left theirs.
    pub(super) async fn take(&self) -> Result<SemaphorePermit<'_>, GalleryError> {
        match tokio::time::timeout(LONGEST_WAIT, self.0.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(GalleryError::Overloaded),
        }
    }
}
