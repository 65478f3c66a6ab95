//! The three tables, read with the calls of the service itself: whether they are there, have the expected key, may be read,
//! and what their rows are like. No more rights than the service has.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::aws::Where;
use super::explain::{count, share};
use super::explain_dynamodb::{Table, explain};
use super::finding::Finding;
use crate::catalog::{Catalog, CatalogError, FailureKind, ODD_ATTRIBUTES, Occurrence, Person, PhotoLocation};
use crate::config::Dynamodb;
use crate::domain::{PersonId, PhotoId};
use crate::telemetry::metrics::{Metrics, OddRow};

const PERSONS: &str = "table.persons";
const OCCURRENCES: &str = "table.occurrences";
const PHOTOS: &str = "table.photos";
const PERSON_ROWS: &str = "rows.persons";
const OCCURRENCE_ROWS: &str = "rows.occurrences";
const PHOTO_ROWS: &str = "rows.photos";

/// What is always told, for when it cannot be.
pub(super) const IDS: [&str; 3] = [PERSONS, OCCURRENCES, PHOTOS];

/// The longest that one call may take, whatever the settings say.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rows of persons that are read.
const SAMPLED_ROWS: i32 = 100;
/// Persons whose occurrences are read, those with most photos first.
const SAMPLED_PERSONS: usize = 3;
/// Occurrences that are read of each.
const SAMPLED_OCCURRENCES: usize = 30;
/// Asked for where no row is known: rights and keys show without one.
const NOBODY: &str = "beetroot-doctor";

/// What rows name.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) person_thumbs: Vec<String>,
    pub(super) occurrence_thumbs: Vec<String>,
    /// Bucket and key.
    pub(super) photos: Vec<(String, String)>,
}

/// Reads tables, and remembers what is said about each.
struct Reader<'a> {
    catalog: &'a Catalog,
    metrics: &'a Metrics,
    tables: &'a Dynamodb,
    place: &'a Where,
    findings: Vec<Finding>,
}

/// `metrics` are those that `catalog` counts odd rows in, and nobody else's.
pub(super) async fn check(
    catalog: &Catalog,
    metrics: &Metrics,
    tables: &Dynamodb,
    place: &Where,
) -> (Vec<Finding>, Sample) {
    let mut reader = Reader { catalog, metrics, tables, place, findings: Vec::new() };
    let mut sample = Sample::default();
    let persons = match reader.persons().await {
        Ok(persons) => persons,
        // a table that is missing says nothing about the others; a DynamoDB that is not there does
        Err(Absent::Table) => Vec::new(),
        Err(Absent::Service) => {
            for id in [OCCURRENCES, PHOTOS] {
                reader.findings.push(Finding::skip(id, "because DynamoDB gives no answer"));
            }
            return (reader.findings, sample);
        }
    };
    sample.person_thumbs =
        persons.iter().filter_map(|person| non_empty(person.rep_thumb_key.as_deref())).collect();
    let occurrences = reader.occurrences(&persons).await;
    let places = reader.photos(&occurrences).await;
    for occurrence in occurrences {
        sample.occurrence_thumbs.extend(non_empty(occurrence.thumb_key.as_deref()));
        let known = places.get(&occurrence.photo_id).cloned().unwrap_or_default();
        let PhotoLocation { bucket, key } = occurrence.location.or(known);
        sample.photos.extend(bucket.zip(key));
    }
    (reader.findings, sample)
}

fn non_empty(key: Option<&str>) -> Option<String> {
    key.filter(|key| !key.is_empty()).map(str::to_owned)
}

/// What is not there.
enum Absent {
    Table,
    Service,
}

impl Reader<'_> {
    async fn persons(&mut self) -> Result<Vec<Person>, Absent> {
        let table = &self.tables.persons_table;
        let read = within(self.catalog.sample_persons(SAMPLED_ROWS)).await;
        let (persons, rows) = match read {
            Ok(read) => read,
            Err(error) => {
                let absent = if error.answer.is_none() { Absent::Service } else { Absent::Table };
                self.fail(PERSONS, &error, table, "PERSONS_TABLE", "personId");
                return Err(absent);
            }
        };
        let anybody = persons.first().map_or_else(nobody, |person| Some(person.id.clone()));
        if let Some(anybody) = anybody
            && let Err(error) = within(self.catalog.check_key_of_persons(&anybody)).await
        {
            self.fail(PERSONS, &error, table, "PERSONS_TABLE", "personId");
            return Ok(persons);
        }
        if rows == 0 {
            let region = &self.place.region;
            self.findings.push(Finding::warn(
                PERSONS,
                format!("{table} is there, and empty"),
                format!("is {table} in {region} the right one (PERSONS_TABLE, AWS_REGION)? Else upload photos: the lists are empty until then"),
            ));
            return Ok(persons);
        }
        self.findings.push(Finding::ok(PERSONS, format!("{table} is read, and its key is personId")));
        let without =
            persons.iter().filter(|person| non_empty(person.rep_thumb_key.as_deref()).is_none()).count();
        let read = count(rows, "row", "rows");
        if !self.tell_odd_rows(PERSON_ROWS, "persons", persons.len()) {
            self.findings.push(if without == 0 {
                Finding::ok(PERSON_ROWS, format!("{read} of a sample, each with a repThumbKey"))
            } else {
                let found = format!("{read} of a sample, {} without repThumbKey", share(without, persons.len()));
                Finding::ok(PERSON_ROWS, found).with_advice(
                    "no error: nobody has chosen a face for them yet, and their repThumbURL is null; upload more photos of them",
                )
            });
        }
        Ok(persons)
    }

    async fn occurrences(&mut self, persons: &[Person]) -> Vec<Occurrence> {
        let table = &self.tables.occurrences_table;
        let mut by_count: Vec<&Person> = persons.iter().collect();
        by_count.sort_by_key(|person| std::cmp::Reverse(person.photo_count));
        let mut ids: Vec<PersonId> =
            by_count.iter().take(SAMPLED_PERSONS).map(|person| person.id.clone()).collect();
        if ids.is_empty() {
            ids.extend(nobody());
        }
        let mut occurrences = Vec::new();
        for id in ids {
            match within(self.catalog.occurrences(&id, None, SAMPLED_OCCURRENCES)).await {
                Ok(page) => occurrences.extend(page.occurrences),
                Err(error) => {
                    self.fail(OCCURRENCES, &error, table, "OCCURRENCES_TABLE", "personId");
                    return occurrences;
                }
            }
        }
        if occurrences.is_empty() && !persons.is_empty() {
            self.findings.push(Finding::warn(
                OCCURRENCES,
                format!("{table} has no rows of the persons with most photos"),
                format!(
                    "is {table} of the same stage as {} (OCCURRENCES_TABLE, PERSONS_TABLE)?",
                    self.tables.persons_table
                ),
            ));
        } else {
            self.findings.push(Finding::ok(OCCURRENCES, format!("{table} is read by its key personId")));
        }
        let read = occurrences.len();
        if !self.tell_odd_rows(OCCURRENCE_ROWS, "occurrences", read) && read > 0 {
            let unlocated =
                occurrences.iter().filter(|occurrence| !occurrence.location.is_complete()).count();
            let found = count(read, "row", "rows");
            let from = if unlocated == 0 {
                "each knows its photo's place".to_owned()
            } else {
                format!(
                    "{} have their photo's place from {}",
                    share(unlocated, read),
                    self.tables.photos_table
                )
            };
            self.findings.push(Finding::ok(OCCURRENCE_ROWS, format!("{found} of a sample, {from}")));
        }
        occurrences
    }

    async fn photos(&mut self, occurrences: &[Occurrence]) -> HashMap<PhotoId, PhotoLocation> {
        let table = &self.tables.photos_table;
        let mut ids: BTreeSet<PhotoId> =
            occurrences.iter().map(|occurrence| occurrence.photo_id.clone()).collect();
        let sampled = ids.len();
        if ids.is_empty() {
            ids.extend(PhotoId::from_row(NOBODY.to_owned()));
        }
        let places = match within(self.catalog.photo_locations(ids)).await {
            Ok(places) => places,
            Err(error) => {
                self.fail(PHOTOS, &error, table, "PHOTOS_TABLE", "photoId");
                return HashMap::new();
            }
        };
        self.findings.push(Finding::ok(PHOTOS, format!("{table} is read by its key photoId")));
        let lost = occurrences
            .iter()
            .filter(|occurrence| {
                !occurrence.location.is_complete() && !places.contains_key(&occurrence.photo_id)
            })
            .count();
        if lost > 0 {
            self.findings.push(Finding::warn(
                PHOTO_ROWS,
                format!(
                    "{} of occurrences that do not know their photo's place have no row in {table} either",
                    count(lost, "row", "rows")
                ),
                "the service leaves them out; write the rows of these photos, or delete the occurrences",
            ));
        }
        let is_odd = self.tell_odd_rows(PHOTO_ROWS, "photos", places.len());
        if lost == 0 && !is_odd && sampled > 0 {
            self.findings.push(Finding::ok(
                PHOTO_ROWS,
                format!("{} of the sample's photos have a row", share(places.len(), sampled)),
            ));
        }
        places
    }

    fn fail(&mut self, id: &'static str, error: &CatalogError, table: &str, variable: &str, key: &str) {
        let table = Table { name: table, variable, key };
        self.findings.push(explain(error, &table, self.place).fails(id));
    }

    /// Whether there was anything odd.
    fn tell_odd_rows(&mut self, id: &'static str, table: &'static str, rows: usize) -> bool {
        let odd: Vec<String> = ODD_ATTRIBUTES
            .iter()
            .filter(|(of, _)| *of == table)
            .filter_map(|(table, attribute)| {
                let counted = self.metrics.odd_rows.get_or_create(&OddRow { table, attribute }).get();
                (counted > 0).then(|| format!("{attribute} missing or of another type in {counted}"))
            })
            .collect();
        if odd.is_empty() {
            return false;
        }
        let found = format!("{}; {} of the sample can be used", odd.join(", "), count(rows, "row", "rows"));
        self.findings.push(if rows == 0 {
            Finding::fail(
                id,
                found,
                "no row is as the service reads it: is it the right table? Else look at what writes them",
            )
        } else {
            Finding::warn(id, found, "the service skips or degrades such rows; look at what writes them")
        });
        true
    }
}

fn nobody() -> Option<PersonId> {
    PersonId::from_row(NOBODY.to_owned())
}

async fn within<T>(call: impl Future<Output = Result<T, CatalogError>>) -> Result<T, CatalogError> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| {
        Err(CatalogError { kind: FailureKind::TimedOut, operation: "call", answer: None, source: None })
    })
}
