//! The two answers: load, sign, assemble.

mod cursor;
mod person_photos;
mod persons;

use jiff::Timestamp;

pub use self::cursor::CursorKey;
pub use self::person_photos::PersonPhotosPage;
pub use self::persons::PersonsPage;
use crate::catalog::{Catalog, CatalogError};
use crate::domain::SignedUrl;
use crate::urls::{CredentialsError, UrlBook};

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
    urls: UrlBook,
    thumbs_bucket: String,
    cursor_key: CursorKey,
}

impl Gallery {
    /// `thumbs_bucket` holds what `repThumbKey` and `thumbKey` name.
    pub fn new(catalog: Catalog, urls: UrlBook, thumbs_bucket: String, cursor_key: CursorKey) -> Self {
        Self { catalog, urls, thumbs_bucket, cursor_key }
    }

    /// Whether URLs can be signed now.
    pub async fn check_credentials(&self) -> Result<(), CredentialsError> {
        self.urls.check_credentials().await
    }
}

/// The second from which the first of these URLs is refused.
fn earliest_end<'a>(urls: impl IntoIterator<Item = &'a Option<SignedUrl>>) -> Option<Timestamp> {
    urls.into_iter().flatten().map(SignedUrl::expires_at).min()
}

fn exposed(url: Option<SignedUrl>) -> Option<String> {
    url.map(|url| url.expose().to_owned())
}
