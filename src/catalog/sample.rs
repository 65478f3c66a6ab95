//! A few rows of the persons, and whether their table has the expected key: for whoever looks what is wrong. Needs no other
//! right than the ranking does.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::RowReader;
use super::{Catalog, CatalogError, Person};
use crate::domain::PersonId;

impl Catalog {
    /// The persons among the first `most` rows of the table, and how many rows there were. One call.
    pub async fn sample_persons(&self, most: i32) -> Result<(Vec<Person>, usize), CatalogError> {
        let call = self.client.scan().table_name(&self.settings.persons_table).limit(most).send();
        let rows = self.counted("Scan", call).await?.items.unwrap_or_default();
        let reader = RowReader { table: "persons", metrics: &self.metrics };
        let count = rows.len();
        Ok((rows.into_iter().filter_map(|row| reader.person(row)).collect(), count))
    }

    /// Fails as [`super::FailureKind::Invalid`] when the table's key is not `personId` alone, a text. `DescribeTable` would need a
    /// right of its own; a Scan may start behind any key, whether there is such a row or not, and DynamoDB checks its form.
    pub async fn check_key_of_persons(&self, person: &PersonId) -> Result<(), CatalogError> {
        let start = HashMap::from([("personId".to_owned(), AttributeValue::S(person.as_str().to_owned()))]);
        let call = self
            .client
            .scan()
            .table_name(&self.settings.persons_table)
            .limit(1)
            .set_exclusive_start_key(Some(start))
            .send();
        self.counted("Scan", call).await.map(drop)
    }
}
