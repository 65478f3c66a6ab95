//! Where a query goes on: a row's key, whose attribute names only the table knows.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::item::Item;

/// The key attributes of one row, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowKey(Vec<(String, KeyValue)>);

/// The types that DynamoDB allows in a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum KeyValue {
    S(String),
    N(String),
    B(Vec<u8>),
}

impl RowKey {
    /// The key of `row`, which has the attributes that `like` has; `None` when one of them cannot be a key.
    pub(super) fn of_row(row: &Item, like: &Item) -> Option<Self> {
        let mut attributes = like
            .keys()
            .map(|name| {
                let value = match row.get(name)? {
                    AttributeValue::S(text) => KeyValue::S(text.clone()),
                    AttributeValue::N(decimal) => KeyValue::N(decimal.clone()),
                    AttributeValue::B(bytes) => KeyValue::B(bytes.as_ref().to_vec()),
                    _ => return None,
                };
                Some((name.clone(), value))
            })
            .collect::<Option<Vec<_>>>()?;
        attributes.sort_by(|(left, _), (right, _)| left.cmp(right));
        Some(Self(attributes))
    }

    /// As DynamoDB takes it.
    pub(super) fn into_item(self) -> Item {
        self.0
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    KeyValue::S(text) => AttributeValue::S(text),
                    KeyValue::N(decimal) => AttributeValue::N(decimal),
                    KeyValue::B(bytes) => AttributeValue::B(Blob::new(bytes)),
                };
                (name, value)
            })
            .collect()
    }
}
