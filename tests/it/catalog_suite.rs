//! What the catalog expects of DynamoDB, so that more than one implementation can be asked whether it agrees.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ScalarAttributeType;
use beetroot_api::catalog::{Catalog, CatalogError, FailureKind, Person, PhotoLocation};
use beetroot_api::config::Settings;
use beetroot_api::domain::{PersonId, PhotoId};
use beetroot_api::telemetry::metrics::Metrics;

use super::rows::{located, n, person, photo, row, s, unlocated};
use super::test_app::{create_tables, put_all};

fn catalog(client: &Client) -> Catalog {
    Catalog::new(client.clone(), Settings::defaults("thumbs").dynamodb, 10_000, Metrics::default())
}

/// Creates the three tables in an empty database and asks everything of them.
pub async fn agrees(client: Client) {
    create_tables(&client, &("takenAt", ScalarAttributeType::N)).await;
    persons_are_scanned_to_the_end(&client).await;
    occurrences_are_paged_by_a_key_of_any_name(&client).await;
    photos_are_found_in_batches(&client).await;
    faults_have_their_kinds(&client).await;
    a_scan_tells_whether_the_key_is_that_of_persons(&client).await;
}

async fn persons(catalog: &Catalog) -> Result<Vec<Person>, CatalogError> {
    let mut persons = Vec::new();
    catalog.persons(|person| persons.push(person)).await?;
    Ok(persons)
}

async fn persons_are_scanned_to_the_end(client: &Client) {
    assert!(persons(&catalog(client)).await.unwrap().is_empty());
    let padding = "x".repeat(4000);
    put_all(
        client,
        "Persons",
        (0..600).map(|number| {
            let mut row = person(&format!("p{number}"), &format!("{number}.5"));
            row.insert("padding".into(), s(padding.clone()));
            row
        }),
    )
    .await;
    put_all(
        client,
        "Persons",
        [row([("personId", s("odd")), ("photoCount", s("many")), ("repThumbKey", s(""))])],
    )
    .await;

    let persons = persons(&catalog(client)).await.unwrap();

    let by_id: BTreeMap<_, _> = persons.iter().map(|person| (person.id.as_str(), person)).collect();
    assert_eq!(by_id.len(), 601);
    assert_eq!(serde_json::to_string(&by_id["p7"].photo_count).unwrap(), "7.5");
    assert_eq!(by_id["p7"].rep_thumb_key.as_deref(), Some("faces-thumbs/p7.jpg"));
    assert_eq!(serde_json::to_string(&by_id["odd"].photo_count).unwrap(), "0");
    assert_eq!(by_id["odd"].rep_thumb_key.as_deref(), Some(""));
}

async fn occurrences_are_paged_by_a_key_of_any_name(client: &Client) {
    let anna = PersonId::parse("Anna / Zoë".as_bytes()).unwrap();
    assert!(catalog(client).occurrences(&anna, None, 5).await.unwrap().occurrences.is_empty());
    put_all(
        client,
        "Occurrences",
        (0..17).map(|number| {
            let mut row = if number % 2 == 0 {
                located(anna.as_str(), "", &format!("{number}"))
            } else {
                unlocated(anna.as_str(), "", &format!("{number}"))
            };
            row.remove("occurrenceId");
            row.insert("takenAt".into(), n(number.to_string()));
            row
        }),
    )
    .await;
    for limit in [1, 4, 16, 17, 18] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = catalog(client).occurrences(&anna, after, limit).await.unwrap();
            assert!(page.occurrences.len() <= limit);
            seen.extend(page.occurrences);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let ids: Vec<_> = seen.iter().map(|occurrence| occurrence.photo_id.as_str().to_owned()).collect();
        assert_eq!(ids, (0..17).map(|number| number.to_string()).collect::<Vec<_>>(), "by {limit}");
        assert!(seen[0].location.is_complete() && seen[1].location == PhotoLocation::default());
    }
}

async fn photos_are_found_in_batches(client: &Client) {
    put_all(client, "Photos", (0..230).map(|number| photo(&format!("{number}")))).await;
    let ids = (0..250).chain(0..250).map(|number| PhotoId::from_row(number.to_string()).unwrap());

    let found = catalog(client).photo_locations(ids).await.unwrap();

    assert_eq!(found.len(), 230);
    assert_eq!(found[&PhotoId::from_row("229".into()).unwrap()].key.as_deref(), Some("photos-raw/229.jpg"));
    assert!(catalog(client).photo_locations([]).await.unwrap().is_empty());
}

async fn faults_have_their_kinds(client: &Client) {
    let mut settings = Settings::defaults("thumbs").dynamodb;
    settings.persons_table = "NoSuchTable".into();
    settings.occurrences_table = "Photos".into();
    let astray = Catalog::new(client.clone(), settings, 10, Metrics::default());
    assert_eq!(persons(&astray).await.unwrap_err().kind, FailureKind::Unavailable);
    let anna = PersonId::parse("Anna / Zoë".as_bytes()).unwrap();
    let page = catalog(client).occurrences(&anna, None, 1).await.unwrap();
    let of_another_table = astray.occurrences(&anna, page.next, 1).await.unwrap_err();
    assert_eq!(of_another_table.kind, FailureKind::Invalid);
}

async fn a_scan_tells_whether_the_key_is_that_of_persons(client: &Client) {
    let known = PersonId::parse(b"p7").unwrap();
    let unknown = PersonId::parse(b"nobody").unwrap();
    for person in [&known, &unknown] {
        catalog(client).check_key_of_persons(person).await.unwrap();
    }
    for table in ["Photos", "Occurrences"] {
        let mut settings = Settings::defaults("thumbs").dynamodb;
        settings.persons_table = table.into();
        let astray = Catalog::new(client.clone(), settings, 10, Metrics::default());
        let error = astray.check_key_of_persons(&known).await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Invalid, "{table}: {error:?}");
    }
    let (sample, rows) = catalog(client).sample_persons(10).await.unwrap();
    assert_eq!((sample.len(), rows), (10, 10));
}
