use std::sync::Mutex;

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::*;
use crate::emulators::{
    Emulators, Ports,
    collection::{Occurrence, Person, Photo, Source},
    testing::{credentials, dynamodb_client, s3_client},
};

fn names() -> SeedNames {
    SeedNames {
        persons_table: "Persons".to_owned(),
        occurrences_table: "Occurrences".to_owned(),
        photos_table: "Photos".to_owned(),
        raw_bucket: "photos".to_owned(),
        thumbs_bucket: "thumbs".to_owned(),
    }
}

/// One person in thirty photos: two batches of rows.
fn collection() -> Collection {
    let photos = (0..30).map(|number| Photo {
        id: format!("photo{number}"),
        key: format!("photos-raw/photo{number}.jpg"),
        content_type: "image/jpeg",
        source: Source::Memory(format!("bytes {number}").into()),
    });
    let occurrences = (0..30).map(|photo| Occurrence::new(photo, format!("thumb {photo}").into()));
    let person = Person {
        id: "ada".to_owned(),
        name: "Ada".to_owned(),
        occurrences: occurrences.collect(),
        representative: Some(0),
    };
    let unseen =
        Person { id: "bo".to_owned(), name: "Bo".to_owned(), occurrences: vec![], representative: None };
    Collection { persons: vec![person, unseen], photos: photos.collect() }
}

#[tokio::test]
async fn a_collection_is_in_the_tables_and_buckets_however_often_it_is_seeded() {
    let emulators = Emulators::start(Ports::default()).unwrap();
    let (dynamodb, s3) = (dynamodb_client(&emulators), s3_client(&emulators, credentials()));
    let names = names();
    let seen = Mutex::new(Vec::new());

    for _ in 0..2 {
        let progress = |progress| seen.lock().unwrap().push(progress);
        let report = seed(&dynamodb, &s3, &names, &collection(), &progress).await.unwrap();
        assert_eq!(report, SeedReport { persons: 2, occurrences: 30, photos: 30, objects: 60 });
    }

    assert_eq!(seen.into_inner().unwrap().last(), Some(&Progress { done: 122, total: 122 }));
    for (table, rows) in [("Persons", 2), ("Occurrences", 30), ("Photos", 30)] {
        let count = dynamodb.scan().table_name(table).select(Select::Count).send().await.unwrap();
        assert_eq!(count.count(), rows, "{table}");
    }
    let query = dynamodb.query().table_name("Occurrences").key_condition_expression("personId = :p");
    let rows = query.expression_attribute_values(":p", AttributeValue::S("ada".to_owned())).send().await;
    let rows = rows.unwrap().items.unwrap();
    let has = |place: usize, name: &str| rows[place].contains_key(name);
    assert_eq!(rows[11]["photoId"], AttributeValue::S("photo11".to_owned()));
    assert!(!has(0, "photoBucket") && !has(0, "photoKey") && has(1, "photoBucket") && has(1, "photoKey"));
    assert!(!has(2, "photoBucket") && has(2, "photoKey") && has(6, "photoBucket") && !has(6, "photoKey"));
    let AttributeValue::S(thumb_key) = &rows[3]["thumbKey"] else { panic!() };
    let thumb = s3.get_object().bucket("thumbs").key(thumb_key).send().await.unwrap();
    assert_eq!(thumb.content_type(), Some("image/jpeg"));
    assert_eq!(thumb.body.collect().await.unwrap().into_bytes(), "thumb 3");
    let bo = dynamodb.get_item().table_name("Persons").key("personId", AttributeValue::S("bo".to_owned()));
    let bo = bo.send().await.unwrap().item.unwrap();
    assert_eq!(bo["repThumbKey"], AttributeValue::S(String::new()));
    assert_eq!(bo["photoCount"], AttributeValue::N("0".to_owned()));
}

#[tokio::test]
async fn a_failure_names_what_could_not_be_written() {
    let emulators = Emulators::start(Ports::default()).unwrap();
    let (dynamodb, s3) = (dynamodb_client(&emulators), s3_client(&emulators, credentials()));
    let odd = SeedNames { raw_bucket: "not_a_bucket_name".to_owned(), ..names() };

    let bucket = seed(&dynamodb, &s3, &odd, &collection(), &|_| ()).await.unwrap_err();
    emulators.dynamodb().deny_all();
    let table = seed(&dynamodb, &s3, &names(), &collection(), &|_| ()).await.unwrap_err();

    assert_eq!(bucket.to_string(), "bucket not_a_bucket_name cannot be created");
    assert_eq!(table.to_string(), "table Persons cannot be created");
}
