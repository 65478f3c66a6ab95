//! DynamoDB in the words of the domain: persons, occurrences, photo locations. Reads only, never writes.

mod contact;
mod error;
mod item;
mod locations;
mod row_key;
mod sample;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tracing::{Instrument, field};

use self::contact::Contacts;
pub use self::contact::{Contact, Table};
pub use self::error::{CatalogError, ErrorAnswer, FailureKind};
pub use self::item::ODD_ATTRIBUTES;
use self::item::{Item, RowReader};
pub use self::locations::PhotoLocations;
pub use self::row_key::RowKey;
use crate::clock::Stopwatch;
use crate::config;
use crate::domain::{PersonId, PhotoCount, PhotoId};
use crate::telemetry::metrics::{Call, Metrics, Operation};

/// The most keys that one `BatchGetItem` takes.
const KEYS_PER_BATCH: usize = 100;
/// The first pause before unprocessed keys are asked for again; it doubles each time, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A row of the table of persons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// How many photos; 0 when the row does not say.
    pub photo_count: PhotoCount,
    /// What the row holds, the empty text included.
    pub rep_thumb_key: Option<Box<str>>,
}

/// A row of the table of occurrences: one person in one photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Which photo.
    pub photo_id: PhotoId,
    /// Where the row says that it is.
    pub location: PhotoLocation,
    /// What the row holds, the empty text included.
    pub thumb_key: Option<String>,
}

/// Where a photo is; each half may be unknown on its own, and is never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoLocation {
    /// The bucket's name.
    pub bucket: Option<String>,
    /// The object's key.
    pub key: Option<String>,
}

impl PhotoLocation {
    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.bucket.is_some() && self.key.is_some()
    }

    /// Fills what is missing from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { bucket: self.bucket.or(other.bucket), key: self.key.or(other.key) }
    }
}

/// Some of a person's occurrences.
#[derive(Clone, Debug)]
pub struct OccurrencePage {
    /// In table order, without the odd ones.
    pub occurrences: Vec<Occurrence>,
    /// Where the next page starts; `None` when this is the last.
    pub next: Option<RowKey>,
}

/// Reads the three tables.
#[derive(Clone, Debug)]
pub struct Catalog {
    client: Client,
    settings: config::Dynamodb,
    scan_limit: usize,
    metrics: Metrics,
    contacts: Arc<Contacts>,
}

impl Catalog {
    /// `client` brings its own timeouts and retries; `scan_limit` is in persons.
    pub fn new(client: Client, settings: config::Dynamodb, scan_limit: usize, metrics: Metrics) -> Self {
        Self { client, settings, scan_limit, metrics, contacts: Arc::default() }
    }

    /// Gives every person to `take`, in no order, up to the scan limit.
    pub async fn persons(&self, mut take: impl FnMut(Person) + Send) -> Result<(), CatalogError> {
        let reader = RowReader { table: "persons", metrics: &self.metrics };
        let mut rows = 0;
        let mut start = None;
        loop {
            let call = self
                .client
                .scan()
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .table_name(&self.settings.persons_table)
                .projection_expression("#person, #count, #thumb")
                .expression_attribute_names("#person", "personId")
                .expression_attribute_names("#count", "photoCount")
                .expression_attribute_names("#thumb", "repThumbKey")
                .set_exclusive_start_key(start)
                .send();
            let mut page = self.counted("Scan", call).await?;
            self.count_capacity("Scan", page.consumed_capacity.as_slice());
            let items = page.items.take().unwrap_or_default();
            let room = self.scan_limit - rows;
            start = page.last_evaluated_key.take();
            let cut_short = items.len() > room || (items.len() == room && start.is_some());
            rows += items.len().min(room);
            items.into_iter().take(room).filter_map(|item| reader.person(item)).for_each(&mut take);
            if cut_short {
                self.metrics.scans_cut_short.inc();
                tracing::warn!(
                    limit = self.scan_limit,
                    "the ranking misses persons: persons.scan_limit ends the scan"
                );
            }
            if cut_short || start.is_none() {
                return Ok(());
            }
        }
    }

    /// At most `limit` of a person's occurrences, from `after` on. A start key that is not of this table is
    /// [`FailureKind::Invalid`].
    pub async fn occurrences(
        &self,
        person: &PersonId,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<OccurrencePage, CatalogError> {
        let after = after.map(RowKey::into_item);
        // one row more than asked for tells whether there is a next page, without a second call
        let (mut rows, mut last_key) = self.rows(person, after.clone(), limit + 1).await?;
        let mut next = None;
        if rows.len() > limit {
            if last_key.is_none() {
                // the surplus row was the table's last, so nothing told the key's attribute names
                last_key = self.rows(person, after, limit).await?.1;
            }
            rows.truncate(limit);
            next = rows.last().zip(last_key).and_then(|(row, like)| RowKey::of_row(row, &like));
        }
        let reader = RowReader { table: "occurrences", metrics: &self.metrics };
        let occurrences = rows.into_iter().filter_map(|row| reader.occurrence(row)).collect();
        Ok(OccurrencePage { occurrences, next })
    }

    /// A person's rows, `most` or until there are no more, and the key at which DynamoDB stopped.
    ///
    /// Without a projection: it would have to name the sort key, which is not known, and costs the same read units.
    async fn rows(
        &self,
        person: &PersonId,
        mut start: Option<Item>,
        most: usize,
    ) -> Result<(Vec<Item>, Option<Item>), CatalogError> {
        let mut rows = Vec::new();
        loop {
            let call = self
                .client
                .query()
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .table_name(&self.settings.occurrences_table)
                .key_condition_expression("#person = :person")
                .expression_attribute_names("#person", "personId")
                .expression_attribute_values(":person", AttributeValue::S(person.as_str().to_owned()))
                .limit(i32::try_from(most - rows.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send();
            let mut page = self.counted("Query", call).await?;
            self.count_capacity("Query", page.consumed_capacity.as_slice());
            rows.append(&mut page.items.take().unwrap_or_default());
            start = page.last_evaluated_key.take();
            if start.is_none() || rows.len() >= most {
                return Ok((rows, start));
            }
        }
    }

    /// Where these photos are; those without a row are not in the answer. All or nothing: what cannot be completed
    /// within `dynamodb.operation_timeout` is an error.
    pub async fn photo_locations(
        &self,
        ids: impl IntoIterator<Item = PhotoId>,
    ) -> Result<HashMap<PhotoId, PhotoLocation>, CatalogError> {
        let distinct: Vec<PhotoId> =
            ids.into_iter().filter(PhotoId::can_be_a_key).collect::<BTreeSet<_>>().into_iter().collect();
        let batches = stream::iter(distinct.chunks(KEYS_PER_BATCH).map(<[PhotoId]>::to_vec))
            .map(|batch| self.batch(batch))
            .buffer_unordered(self.settings.batch_concurrency)
            .try_concat();
        tokio::time::timeout(self.settings.operation_timeout, batches)
            .await
            .unwrap_or_else(|_| Err(CatalogError::timed_out("BatchGetItem")))
            .map(|rows| rows.into_iter().collect())
    }

    /// Asks until nothing is left unprocessed; the caller's deadline ends it.
    async fn batch(&self, ids: Vec<PhotoId>) -> Result<Vec<(PhotoId, PhotoLocation)>, CatalogError> {
        let reader = RowReader { table: "photos", metrics: &self.metrics };
        let table = &self.settings.photos_table;
        let keys = ids
            .iter()
            .map(|id| HashMap::from([("photoId".to_owned(), AttributeValue::S(id.as_str().to_owned()))]));
        let mut asked = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .projection_expression("#photo, #bucket, #key")
            .expression_attribute_names("#photo", "photoId")
            .expression_attribute_names("#bucket", "s3Bucket")
            .expression_attribute_names("#key", "s3Key")
            .build()
            .map_err(|error| CatalogError {
                kind: FailureKind::Invalid,
                operation: "BatchGetItem",
                answer: None,
                source: Some(error.into()),
            })?;
        let mut found = Vec::with_capacity(ids.len());
        let mut pause = FIRST_PAUSE;
        loop {
            let call = self
                .client
                .batch_get_item()
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .request_items(table, asked)
                .send();
            let mut page = self.counted("BatchGetItem", call).await?;
            self.count_capacity("BatchGetItem", page.consumed_capacity());
            let rows = page.responses.take().into_iter().flat_map(HashMap::into_values).flatten();
            found.extend(rows.filter_map(|row| reader.photo(row)));
            let left = page.unprocessed_keys.take().into_iter().flat_map(HashMap::into_values).next();
            match left.filter(|left| !left.keys().is_empty()) {
                None => return Ok(found),
                Some(left) => asked = left,
            }
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn count_capacity(&self, operation: &'static str, consumed: &[ConsumedCapacity]) {
        let units = consumed.iter().filter_map(ConsumedCapacity::capacity_units).sum::<f64>();
        self.metrics.dynamodb_capacity_units.get_or_create(&Operation { operation }).inc_by(units);
    }

    /// Waits for a call, in a span of its own, and counts how long it took and how it ended.
    fn counted<'a, T, E, R>(
        &'a self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, R>>> + Send + 'a,
    ) -> impl Future<Output = Result<T, CatalogError>> + Send + 'a
    where
        T: Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let span = tracing::debug_span!(
            "dynamodb",
            otel.name = operation,
            otel.kind = "client",
            otel.status_code = field::Empty,
            db.system.name = "aws.dynamodb",
            db.operation.name = operation,
            outcome = field::Empty,
        );
        // boxed: a call passed through by value would double what each request weighs
        let call = Box::pin(call.instrument(span.clone()));
        async move {
            let watch = Stopwatch::start();
            let answer = call.await;
            let duration = self.metrics.dynamodb_call_duration.get_or_create_owned(&Operation { operation });
            duration.observe(watch.elapsed().as_secs_f64());
            let table = Table::of(operation);
            let answer = match answer {
                Ok(answer) => {
                    self.contacts.count_read(table);
                    Ok(answer)
                }
                Err(error) => {
                    let code = error.code().map(str::to_owned);
                    let error = CatalogError::from_sdk(operation, error);
                    self.contacts.count_failure(table, error.kind, code.as_deref());
                    Err(error)
                }
            };
            let outcome = answer.as_ref().map_or_else(|error| error.kind.label(), |_| "ok");
            span.record("outcome", outcome);
            if answer.is_err() {
                span.record("otel.status_code", "ERROR");
            }
            self.metrics.dynamodb_calls.get_or_create(&Call { operation, outcome }).inc();
            answer
        }
    }
}
