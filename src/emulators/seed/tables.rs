//! The three tables and their rows.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    client::Waiters,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, PutRequest,
        ScalarAttributeType, WriteRequest,
    },
};

use super::{SeedError, SeedNames, Steps};
use crate::emulators::collection::{Collection, Occurrence, Person, Photo};

/// The most rows that `BatchWriteItem` takes.
const ROWS_PER_BATCH: usize = 25;
/// How often rows that DynamoDB left out are sent again.
const MAX_ATTEMPTS: u32 = 10;
/// The pause before the second attempt. It doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How long a new table may take to become active.
const CREATION_TIMEOUT: Duration = Duration::from_mins(1);

/// Creates each table that is not there, paid per request. An existing one is used as it is.
pub(super) async fn create_missing(dynamodb: &Client, names: &SeedNames) -> Result<(), SeedError> {
    let tables: [(_, &[&str]); 3] = [
        (&names.persons_table, &["personId"]),
        (&names.occurrences_table, &["personId", "occurrenceId"]),
        (&names.photos_table, &["photoId"]),
    ];
    for (name, keys) in tables {
        create(dynamodb, name, keys)
            .await
            .map_err(|source| SeedError::Table { name: name.clone(), source })?;
    }
    Ok(())
}

async fn create(dynamodb: &Client, name: &str, keys: &[&str]) -> Result<(), super::BoxError> {
    let mut create = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
        let definition = AttributeDefinition::builder().attribute_type(ScalarAttributeType::S);
        let element = KeySchemaElement::builder().key_type(kind);
        create = create
            .attribute_definitions(definition.attribute_name(*attribute).build()?)
            .key_schema(element.attribute_name(*attribute).build()?);
    }
    if let Err(error) = create.send().await
        && !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception)
    {
        return Err(error.into());
    }
    dynamodb.wait_until_table_exists().table_name(name).wait(CREATION_TIMEOUT).await?;
    Ok(())
}

pub(super) async fn write(
    dynamodb: &Client,
    names: &SeedNames,
    collection: &Collection,
    steps: &Steps<'_>,
) -> Result<(), SeedError> {
    let photos = collection.photos.iter().map(|photo| photo_row(photo, names));
    write_rows(dynamodb, &names.photos_table, photos, steps).await?;
    let occurrences = collection.persons.iter().flat_map(|person| {
        person.occurrences.iter().enumerate().map(|(place, occurrence)| {
            occurrence_row(person, place, occurrence, &collection.photos[occurrence.photo], names)
        })
    });
    write_rows(dynamodb, &names.occurrences_table, occurrences, steps).await?;
    let persons = collection.persons.iter().map(|person| person_row(person, collection));
    write_rows(dynamodb, &names.persons_table, persons, steps).await
}

type Row = HashMap<String, AttributeValue>;

fn person_row(person: &Person, collection: &Collection) -> Row {
    let representative = person.representative.and_then(|place| person.occurrences.get(place));
    let thumb_key = representative.map(|one| person.thumb_key(&collection.photos[one.photo]));
    HashMap::from([
        text("personId", &person.id),
        ("photoCount".to_owned(), AttributeValue::N(person.occurrences.len().to_string())),
        text("repThumbKey", thumb_key.unwrap_or_default()),
    ])
}

fn occurrence_row(
    person: &Person,
    place: usize,
    occurrence: &Occurrence,
    photo: &Photo,
    names: &SeedNames,
) -> Row {
    let mut row = HashMap::from([
        text("personId", &person.id),
        // The place keeps the order; the photo's id makes it readable.
        text("occurrenceId", format!("{place:06}-{}", photo.id)),
        text("photoId", &photo.id),
        text("thumbKey", person.thumb_key(photo)),
    ]);
    if occurrence.has_bucket {
        row.extend([text("photoBucket", &names.raw_bucket)]);
    }
    if occurrence.has_key {
        row.extend([text("photoKey", &photo.key)]);
    }
    row
}

fn photo_row(photo: &Photo, names: &SeedNames) -> Row {
    HashMap::from([
        text("photoId", &photo.id),
        text("s3Bucket", &names.raw_bucket),
        text("s3Key", &photo.key),
    ])
}

fn text(name: &str, value: impl Into<String>) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(value.into()))
}

async fn write_rows(
    dynamodb: &Client,
    table: &str,
    rows: impl Iterator<Item = Row>,
    steps: &Steps<'_>,
) -> Result<(), SeedError> {
    let failed = |source| SeedError::Rows { name: table.to_owned(), source };
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let mut batch = Vec::with_capacity(ROWS_PER_BATCH);
        for row in rows.by_ref().take(ROWS_PER_BATCH) {
            let put = PutRequest::builder().set_item(Some(row)).build();
            batch.push(
                WriteRequest::builder().put_request(put.map_err(|error| failed(error.into()))?).build(),
            );
        }
        let written = batch.len();
        write_batch(dynamodb, table, batch).await?;
        steps.advance(written);
    }
    Ok(())
}

async fn write_batch(dynamodb: &Client, table: &str, batch: Vec<WriteRequest>) -> Result<(), SeedError> {
    let mut pause = FIRST_PAUSE;
    let mut batch = HashMap::from([(table.to_owned(), batch)]);
    for _ in 0..MAX_ATTEMPTS {
        let write = dynamodb.batch_write_item().set_request_items(Some(batch));
        let answer = write.send().await;
        let answer =
            answer.map_err(|error| SeedError::Rows { name: table.to_owned(), source: error.into() })?;
        batch = answer.unprocessed_items.unwrap_or_default();
        if batch.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Err(SeedError::Unprocessed { name: table.to_owned() })
}
