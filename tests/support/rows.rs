//! Rows as the tables hold them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

pub type Row = HashMap<String, AttributeValue>;

pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub fn n(decimal: impl Into<String>) -> AttributeValue {
    AttributeValue::N(decimal.into())
}

pub fn row<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Row {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A person with a thumbnail.
pub fn person(id: &str, count: &str) -> Row {
    row([("personId", s(id)), ("photoCount", n(count)), ("repThumbKey", s(format!("faces-thumbs/{id}.jpg")))])
}

/// An occurrence that knows where its photo is.
pub fn located(person: &str, occurrence: &str, photo: &str) -> Row {
    let mut row = unlocated(person, occurrence, photo);
    row.insert("photoBucket".into(), s("raw"));
    row.insert("photoKey".into(), s(format!("photos-raw/{photo}.jpg")));
    row
}

/// An occurrence that needs the table of photos.
pub fn unlocated(person: &str, occurrence: &str, photo: &str) -> Row {
    row([
        ("personId", s(person)),
        ("occurrenceId", s(occurrence)),
        ("photoId", s(photo)),
        ("thumbKey", s(format!("faces-thumbs/{person}/{photo}.jpg"))),
    ])
}

/// Where a photo is.
pub fn photo(id: &str) -> Row {
    row([("photoId", s(id)), ("s3Bucket", s("raw")), ("s3Key", s(format!("photos-raw/{id}.jpg")))])
}
