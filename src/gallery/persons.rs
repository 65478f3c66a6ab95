//! `GET /persons`: everybody, ranked by how many photos they are in.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::ranking::{Gathering, Position};
use super::{GalleryError, PageRequest, Pages, cursor, earliest_end, expose, usable_until};
use crate::catalog;
use crate::domain::{PersonId, PhotoCount, SignedUrl};

/// The list that its cursors belong to.
const LIST: &str = "persons";

/// One page of the ranking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonsPage {
    /// By photo count from the largest, ties by `personId`.
    persons: Vec<Person>,
    /// Only when there is more: `?cursor=` of the next page, handed back unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    /// Every URL in this answer works at least until then. Absent when the answer holds no URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    expires_at: Option<Timestamp>,
    /// When the first of its URLs is no longer handed out.
    #[serde(skip)]
    pub(super) usable_until: Option<Timestamp>,
    /// When the table was read.
    #[serde(skip)]
    pub(super) read_at: Timestamp,
}

/// A person of the ranking.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Person {
    /// Who.
    #[schema(value_type = String)]
    person_id: PersonId,
    /// How many photos: whole when the table's number is, up to 38 digits; 0 when the row does not say.
    #[schema(value_type = f64, format = "")]
    photo_count: PhotoCount,
    /// The thumbnail's key as the row holds it, the empty text included; null when there is none.
    #[schema(value_type = Option<String>, required)]
    rep_thumb_key: Option<Box<str>>,
    /// The signed URL of that key; null without a key, and for a key that is not signed.
    #[serde(rename = "repThumbURL", serialize_with = "expose")]
    #[schema(value_type = Option<String>, format = "uri", required)]
    rep_thumb_url: Option<SignedUrl>,
}

impl Pages {
    /// Those who follow the cursor's person, by photo count from the largest, ties by identifier.
    pub(super) async fn persons(&self, page: &PageRequest) -> Result<PersonsPage, Arc<GalleryError>> {
        let after = page.cursor.as_deref().map(|cursor| self.open_position(cursor)).transpose()?;
        let scan = |mut gathering: Gathering| {
            let catalog = self.catalog.clone();
            async move {
                catalog.persons(|person| gathering.add(person)).await?;
                Ok(gathering)
            }
        };
        // before a place is taken: who waits for a scan keeps no processor busy
        let part = self.ranking.part(after.as_ref(), page.limit, scan).await?;
        let _place = self.places.take().await?;
        let last = part.persons.last().filter(|_| part.has_more);
        let next_cursor = last.and_then(|last| self.seal_position(last));

        let objects: Vec<_> = part
            .persons
            .iter()
            .map(|person| {
                let key = person.rep_thumb_key.as_deref().filter(|key| !key.is_empty())?;
                self.urls.object(&self.thumbs_bucket, key)
            })
            .collect();
        let urls = self.urls.urls(&objects, &mut self.shared.session()).await.map_err(GalleryError::from)?;
        let (expires_at, usable_until) = (earliest_end(&urls), usable_until(&urls));
        let persons = part
            .persons
            .into_iter()
            .zip(urls)
            .map(|(person, url)| Person {
                person_id: person.id,
                photo_count: person.photo_count,
                rep_thumb_key: person.rep_thumb_key,
                rep_thumb_url: url.map(|handed_out| handed_out.url),
            })
            .collect();
        Ok(PersonsPage { persons, next_cursor, expires_at, usable_until, read_at: part.read_at })
    }

    fn seal_position(&self, person: &catalog::Person) -> Option<String> {
        let count = serde_json::to_string(&person.photo_count).ok()?;
        cursor::write(&self.seal, LIST, &(count, person.id.as_str()))
    }

    fn open_position(&self, cursor: &str) -> Result<Position, GalleryError> {
        let (count, id): (String, String) = cursor::read(&self.seal, LIST, cursor)?;
        PhotoCount::parse(&count).zip(PersonId::from_row(id)).ok_or(GalleryError::Cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::rendered::Page;

    #[test]
    fn a_page_shows_its_urls_to_clients_only() {
        let url = SignedUrl::new("https://b.example/k?X-Amz-Signature=secret", Timestamp::UNIX_EPOCH);
        let person = Person {
            person_id: PersonId::parse(b"anna").unwrap(),
            photo_count: PhotoCount::ZERO,
            rep_thumb_key: None,
            rep_thumb_url: Some(url),
        };
        let page = PersonsPage {
            persons: vec![person],
            next_cursor: None,
            expires_at: None,
            usable_until: None,
            read_at: Timestamp::UNIX_EPOCH,
        };
        assert!(serde_json::to_string(&page).unwrap().contains("secret"));
        for debug in [format!("{page:?}"), format!("{:?}", Page::of(&page, None).unwrap())] {
            assert!(!debug.contains("secret"), "{debug}");
        }
    }
}
