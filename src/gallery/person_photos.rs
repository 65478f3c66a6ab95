//! `GET /persons/{personId}/photos`: where a person occurs.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{GalleryError, PageRequest, Pages, cursor, earliest_end, expose, usable_until};
use crate::catalog::{CatalogError, FailureKind, Occurrence, RowKey};
use crate::domain::{PersonId, PhotoId, SignedUrl};
use crate::shared_cache::Session;

/// One page of a person's photos.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonPhotosPage {
    /// Whose photos: as in the path, decoded.
    #[schema(value_type = String)]
    person_id: PersonId,
    /// In table order; none when nobody knows the person.
    photos: Vec<Photo>,
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
}

/// A photo that the person is in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Photo {
    /// Which photo.
    #[schema(value_type = String)]
    photo_id: PhotoId,
    /// The photo's bucket; null when no row says it.
    #[schema(required)]
    photo_bucket: Option<String>,
    /// The photo's key; null when no row says it.
    #[schema(required)]
    photo_key: Option<String>,
    /// The thumbnail's key as the row holds it, the empty text included; null when there is none.
    #[schema(required)]
    thumb_key: Option<String>,
    /// The photo's signed URL; null without bucket or key, and for what is not signed.
    #[serde(rename = "photoURL", serialize_with = "expose")]
    #[schema(value_type = Option<String>, format = "uri", required)]
    photo_url: Option<SignedUrl>,
    /// The thumbnail's signed URL; null without a key, and for a key that is not signed.
    #[serde(rename = "thumbURL", serialize_with = "expose")]
    #[schema(value_type = Option<String>, format = "uri", required)]
    thumb_url: Option<SignedUrl>,
}

impl Pages {
    /// The occurrences of `person` behind the cursor, in table order. A person that nobody knows has none.
    pub(super) async fn person_photos(
        &self,
        person: PersonId,
        page: &PageRequest,
    ) -> Result<PersonPhotosPage, GalleryError> {
        let list = format!("photos of {}", person.as_str());
        let after = page
            .cursor
            .as_deref()
            .map(|cursor| cursor::read::<RowKey>(&self.seal, &list, cursor))
            .transpose()?;
        let started_by_cursor = after.is_some();
        let found = match self.catalog.occurrences(&person, after, page.limit).await {
            // the cursor is ours, but not of the table that this service reads now
            Err(CatalogError { kind: FailureKind::Invalid, .. }) if started_by_cursor => {
                return Err(GalleryError::Cursor);
            }
            answer => answer?,
        };
        let next_cursor = found.next.and_then(|next| cursor::write(&self.seal, &list, &next));
        // one for the whole request: it waits for Redis once, if at all
        let mut session = self.shared.session();
        let occurrences = self.locate(found.occurrences, &mut session).await?;

        // the photos' URLs first, the thumbnails' behind them
        let photos = occurrences.iter().map(|occurrence| {
            let location = &occurrence.location;
            self.urls.object(location.bucket.as_deref()?, location.key.as_deref()?)
        });
        let thumbs = occurrences.iter().map(|occurrence| {
            let key = occurrence.thumb_key.as_deref().filter(|key| !key.is_empty())?;
            self.urls.object(&self.thumbs_bucket, key)
        });
        let objects: Vec<_> = photos.chain(thumbs).collect();
        let mut photo_urls = self.urls.urls(&objects, &mut session).await?;
        let (expires_at, usable_until) = (earliest_end(&photo_urls), usable_until(&photo_urls));
        let thumb_urls = photo_urls.split_off(occurrences.len());
        let photos = occurrences
            .into_iter()
            .zip(photo_urls.into_iter().zip(thumb_urls))
            .map(|(occurrence, (photo_url, thumb_url))| Photo {
                photo_id: occurrence.photo_id,
                photo_bucket: occurrence.location.bucket,
                photo_key: occurrence.location.key,
                thumb_key: occurrence.thumb_key,
                photo_url: photo_url.map(|handed_out| handed_out.url),
                thumb_url: thumb_url.map(|handed_out| handed_out.url),
            })
            .collect();
        Ok(PersonPhotosPage { person_id: person, photos, next_cursor, expires_at, usable_until })
    }

    /// Completes the locations from the table of photos; an occurrence whose photo has no row there is dropped.
    async fn locate(
        &self,
        occurrences: Vec<Occurrence>,
        session: &mut Session,
    ) -> Result<Vec<Occurrence>, CatalogError> {
        let incomplete = occurrences.iter().filter(|occurrence| !occurrence.location.is_complete());
        let found =
            self.locations.find(incomplete.map(|occurrence| occurrence.photo_id.clone()), session).await?;
        Ok(occurrences
            .into_iter()
            .filter_map(|mut occurrence| {
                if !occurrence.location.is_complete() {
                    let fallback = found.get(&occurrence.photo_id)?;
                    occurrence.location = occurrence.location.or(fallback.clone());
                }
                Some(occurrence)
            })
            .collect())
    }
}
