//! Attribute maps into the words of the domain. What is missing or odd costs itself only, and is counted.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Occurrence, Person, PhotoLocation};
use crate::domain::{PersonId, PhotoCount, PhotoId};
use crate::telemetry::metrics::{Metrics, OddRow};

/// One row as the SDK gives it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Everything that [`Metrics::odd_rows`] can count, as table and attribute.
pub const ODD_ATTRIBUTES: [(&str, &str); 10] = [
    ("persons", "personId"),
    ("persons", "photoCount"),
    ("persons", "repThumbKey"),
    ("occurrences", "photoId"),
    ("occurrences", "photoBucket"),
    ("occurrences", "photoKey"),
    ("occurrences", "thumbKey"),
    ("photos", "photoId"),
    ("photos", "s3Bucket"),
    ("photos", "s3Key"),
];

/// Reads rows of one table.
pub(super) struct RowReader<'a> {
    pub(super) table: &'static str,
    pub(super) metrics: &'a Metrics,
}

impl RowReader<'_> {
    /// A row of `Persons`; without a usable `personId` there is no person.
    pub(super) fn person(&self, mut item: Item) -> Option<Person> {
        let id = self.text(&mut item, "personId").and_then(PersonId::from_row);
        if id.is_none() {
            self.count("personId");
        }
        Some(Person {
            id: id?,
            photo_count: self.count_of_photos(&item),
            rep_thumb_key: self.text(&mut item, "repThumbKey").map(String::into_boxed_str),
        })
    }

    /// A row of `Occurrences`; without a usable `photoId` there is no occurrence.
    pub(super) fn occurrence(&self, mut item: Item) -> Option<Occurrence> {
        let photo_id = self.text(&mut item, "photoId").and_then(PhotoId::from_row);
        if photo_id.is_none() {
            self.count("photoId");
        }
        Some(Occurrence {
            photo_id: photo_id?,
            location: PhotoLocation {
                bucket: self.non_empty_text(&mut item, "photoBucket"),
                key: self.non_empty_text(&mut item, "photoKey"),
            },
            thumb_key: self.text(&mut item, "thumbKey"),
        })
    }

    /// A row of `Photos`; either half may be missing.
    pub(super) fn photo(&self, mut item: Item) -> Option<(PhotoId, PhotoLocation)> {
        let id = self.text(&mut item, "photoId").and_then(PhotoId::from_row)?;
        let bucket = self.non_empty_text(&mut item, "s3Bucket");
        let key = self.non_empty_text(&mut item, "s3Key");
        if bucket.is_none() {
            self.count("s3Bucket");
        }
        if key.is_none() {
            self.count("s3Key");
        }
        Some((id, PhotoLocation { bucket, key }))
    }

    fn count_of_photos(&self, item: &Item) -> PhotoCount {
        match item.get("photoCount") {
            None => PhotoCount::ZERO,
            Some(AttributeValue::N(decimal)) => PhotoCount::parse(decimal).unwrap_or(PhotoCount::ZERO),
            Some(_) => {
                self.count("photoCount");
                PhotoCount::ZERO
            }
        }
    }

    fn non_empty_text(&self, item: &mut Item, attribute: &'static str) -> Option<String> {
        self.text(item, attribute).filter(|text| !text.is_empty())
    }

    /// A string attribute; `None` when it is missing, or NULL as other writers put it, or of another type.
    fn text(&self, item: &mut Item, attribute: &'static str) -> Option<String> {
        match item.remove(attribute) {
            Some(AttributeValue::S(text)) => Some(text),
            None | Some(AttributeValue::Null(_)) => None,
            Some(_) => {
                self.count(attribute);
                None
            }
        }
    }

    fn count(&self, attribute: &'static str) {
        debug_assert!(ODD_ATTRIBUTES.contains(&(self.table, attribute)), "{attribute} is not among them");
        self.metrics.odd_rows.get_or_create(&OddRow { table: self.table, attribute }).inc();
    }
}
