//! The two answers: load, sign, assemble, render once, and give the same bytes to everyone who asks for them soon after.

mod answers;
mod coding;
mod cursor;
mod person_photos;
mod persons;
mod places;
mod ranking;
mod readiness;
mod refills;
mod rendered;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub use self::answers::{AnswerOptions, Answers};
pub use self::coding::Coding;
pub use self::person_photos::PersonPhotosPage;
pub use self::persons::PersonsPage;
pub use self::places::Places;
pub use self::ranking::{RankingOptions, SharedRanking};
pub use self::readiness::{CredentialsWord, Readiness, RedisWord, Report, TableWord, Tables};
use self::rendered::Page;
pub use self::rendered::{Body, Rendered};
use crate::catalog::{Catalog, CatalogError, PhotoLocations};
use crate::clock::Clock;
use crate::domain::{PersonId, SignedUrl};
use crate::seal::Seal;
use crate::shared_cache::SharedCache;
use crate::urls::{CredentialsError, HandedOut, UrlBook};

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// `server.request_timeout` has passed.
    #[error("the request took too long")]
    DeadlineExceeded,
    /// The work that others waited for was broken off, twice: a panic, or the end of the process.
    #[error("the work was broken off")]
    BrokenOff,
    /// As many answers as allowed are being made.
    #[error("too many answers are being made")]
    Overloaded,
    /// A page could not be written as JSON.
    #[error("an answer could not be rendered")]
    Unrendered(#[source] serde_json::Error),
}

/// The two answers, from memory while they are fresh.
#[derive(Debug)]
pub struct Gallery {
    pages: Arc<Pages>,
    answers: Arc<Answers>,
    readiness: Arc<Readiness>,
}

/// Makes pages from the catalog and the URL book.
#[derive(Debug)]
pub struct Pages {
    /// Of those that are worked on.
    pub places: Places,
    /// The tables.
    pub catalog: Catalog,
    /// All persons in order.
    pub ranking: Arc<SharedRanking>,
    /// Where the photos are whose occurrence does not say it.
    pub locations: PhotoLocations,
    /// Signs.
    pub urls: UrlBook,
    /// Redis, one session a page.
    pub shared: SharedCache,
    /// Holds what `repThumbKey` and `thumbKey` name.
    pub thumbs_bucket: String,
    /// Of cursors.
    pub seal: Seal,
}

/// What an answer is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum PageKey {
    Persons(PageRequest),
    PersonPhotos(PersonId, PageRequest),
}

impl PageKey {
    /// A word for the list.
    fn list(&self) -> &'static str {
        match self {
            Self::Persons(_) => "persons",
            Self::PersonPhotos(..) => "photos",
        }
    }
}

/// An answer on its way to a client.
#[derive(Debug)]
pub struct Answer<'a> {
    rendered: Rendered,
    key: PageKey,
    answers: &'a Answers,
}

impl Gallery {
    /// Gives what `pages` makes, and keeps it in `answers`. `unready_after` is `server.unready_after`.
    pub fn new(pages: Pages, answers: Answers, clock: Clock, unready_after: Duration) -> Self {
        let pages = Arc::new(pages);
        let readiness = Arc::new(Readiness::new(Arc::clone(&pages), clock, unready_after));
        Self { pages, answers: Arc::new(answers), readiness }
    }

    /// A page of the ranking.
    pub async fn persons(&self, page: PageRequest) -> Result<Answer<'_>, Arc<GalleryError>> {
        self.answer(PageKey::Persons(page)).await
    }

    /// A page of a person's photos.
    pub async fn person_photos(
        &self,
        person: PersonId,
        page: PageRequest,
    ) -> Result<Answer<'_>, Arc<GalleryError>> {
        self.answer(PageKey::PersonPhotos(person, page)).await
    }

    /// Whether requests are welcome here.
    pub fn readiness(&self) -> &Arc<Readiness> {
        &self.readiness
    }

    /// As [`UrlBook::credentials_end`].
    pub fn credentials_end(&self) -> f64 {
        self.pages.urls.credentials_end()
    }

    /// The origins of all pictures that answers of this process may hold by now.
    pub fn picture_origins(&self) -> Vec<String> {
        self.pages.urls.origins()
    }

    async fn answer(&self, key: PageKey) -> Result<Answer<'_>, Arc<GalleryError>> {
        let load = || {
            let (pages, key) = (Arc::clone(&self.pages), key.clone());
            async move { pages.load(key).await }
        };
        let rendered = self.answers.get(&key, load).await?;
        Ok(Answer { rendered, key, answers: &self.answers })
    }
}

impl Pages {
    /// Boxes what it does when it begins with it: what waits for a place is small, and so is the future of a warm answer.
    async fn load(&self, key: PageKey) -> Result<Page, Arc<GalleryError>> {
        match key {
            PageKey::Persons(request) => {
                let page = Box::pin(self.persons(&request)).await?;
                Ok(Page::of(&page, page.usable_until)?.of_what_was_read(page.read_at))
            }
            PageKey::PersonPhotos(person, request) => {
                let _place = self.places.take().await?;
                let page = Box::pin(self.person_photos(person, &request)).await?;
                Ok(Page::of(&page, page.usable_until)?)
            }
        }
    }
}

impl Answer<'_> {
    /// What to send in that coding: made at the first demand, the plain body where coding is no gain.
    pub fn body(&self, coding: Coding) -> &Body {
        let (body, heavier) = self.rendered.body(coding);
        if heavier {
            self.answers.weigh_again(&self.key, &self.rendered, coding);
        }
        body
    }

    /// The answer itself.
    pub fn rendered(&self) -> &Rendered {
        &self.rendered
    }
}

impl PageKey {
    /// What it takes in memory besides its own size.
    fn heap_bytes(&self) -> usize {
        let (person, page) = match self {
            Self::Persons(page) => (0, page),
            Self::PersonPhotos(person, page) => (person.as_str().len(), page),
        };
        person + page.cursor.as_ref().map_or(0, String::len)
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

/// The one place where signed URLs become text: in the answer to a client.
#[expect(clippy::ref_option, reason = "serde's form")]
fn expose<S: Serializer>(url: &Option<SignedUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_ref().map(SignedUrl::expose).serialize(serializer)
}
