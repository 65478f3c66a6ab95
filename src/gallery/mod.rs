//! The two answers: load, sign, assemble.

mod cursor;
mod person_photos;
mod persons;

use jiff::Timestamp;

pub use self::person_photos::PersonPhotosPage;
pub use self::persons::PersonsPage;
use crate::catalog::{Catalog, CatalogError, PhotoLocations};
use crate::seal::Seal;
use crate::shared_cache::SharedCache;
use crate::urls::{CredentialsError, HandedOut, UrlBook};

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many entries at most.
    pub limit: usize,
    /// Where the page before ended, as its `nextCursor` said.
    pub cursor: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GalleryError {
    /// Not a cursor of this list.
    #[error("cursor: accepted is the nextCursor of an earlier answer to the same list, unchanged")]
    Cursor,
    /// DynamoDB failed.
    #[error("the catalog failed")]
    Catalog(#[from] CatalogError),
    /// Nobody signs.
    #[error("nothing can be signed")]
    Credentials(#[from] CredentialsError),
}

/// Answers from the catalog and the URL book.
#[derive(Debug)]
pub struct Gallery {
    catalog: Catalog,
    locations: PhotoLocations,
    urls: UrlBook,
    shared: SharedCache,
    thumbs_bucket: String,
    seal: Seal,
}

impl Gallery {
    /// `thumbs_bucket` holds what `repThumbKey` and `thumbKey` name.
    pub fn new(
        catalog: Catalog,
        locations: PhotoLocations,
        urls: UrlBook,
        shared: SharedCache,
        thumbs_bucket: String,
        seal: Seal,
    ) -> Self {
        Self { catalog, locations, urls, shared, thumbs_bucket, seal }
    }

    /// Whether URLs can be signed now.
    pub async fn check_credentials(&self) -> Result<(), CredentialsError> {
        self.urls.check_credentials().await
    }
}

/// The second from which the first of these URLs is refused.
fn earliest_end(urls: &[Option<HandedOut>]) -> Option<Timestamp> {
    urls.iter().flatten().map(|handed_out| handed_out.url.expires_at()).min()
}

/// The second from which the first of these URLs is no longer handed out.
fn usable_until(urls: &[Option<HandedOut>]) -> Option<Timestamp> {
    urls.iter().flatten().map(|handed_out| handed_out.until).min()
}

fn exposed(url: Option<HandedOut>) -> Option<String> {
    url.map(|handed_out| handed_out.url.expose().to_owned())
}
