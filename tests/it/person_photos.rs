//! `GET /persons/{personId}/photos`.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ScalarAttributeType};
use reqwest::Method;
use serde_json::{Value, json};

use super::rows::{Row, located, n, photo, row, s, unlocated};
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, TestApp};

fn photo_ids(answer: &Value) -> Vec<&str> {
    answer["photos"].as_array().unwrap().iter().map(|photo| photo["photoId"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn the_answer_has_the_fields_of_the_contract_in_table_order() {
    let app = TestApp::start().await;
    let mut without_thumb = located("anna", "3", "p-3");
    without_thumb.remove("thumbKey");
    app.put_occurrences([located("anna", "2", "p-1"), located("anna", "1", "p-2"), without_thumb]).await;
    app.put_occurrences([located("ben", "1", "p-4")]).await;

    let answer = app.get("/persons/anna/photos").await;

    let body = answer.ok();
    let url = |photo: usize, name: &str| body["photos"][photo][name].as_str().unwrap().to_owned();
    assert!(url(0, "photoURL").contains("/raw/photos-raw/p-2.jpg?"));
    assert!(url(0, "thumbURL").contains("/thumbs/faces-thumbs/anna/p-2.jpg?"));
    assert_eq!(
        body,
        json!({"personId": "anna", "photos": [
            {"photoId": "p-2", "photoBucket": "raw", "photoKey": "photos-raw/p-2.jpg",
             "thumbKey": "faces-thumbs/anna/p-2.jpg", "photoURL": url(0, "photoURL"), "thumbURL": url(0, "thumbURL")},
            {"photoId": "p-1", "photoBucket": "raw", "photoKey": "photos-raw/p-1.jpg",
             "thumbKey": "faces-thumbs/anna/p-1.jpg", "photoURL": url(1, "photoURL"), "thumbURL": url(1, "thumbURL")},
            {"photoId": "p-3", "photoBucket": "raw", "photoKey": "photos-raw/p-3.jpg",
             "thumbKey": null, "photoURL": url(2, "photoURL"), "thumbURL": null},
        ], "expiresAt": body["expiresAt"]})
    );
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let order = [
        "{\"personId\":",
        "\"photos\":[{\"photoId\":",
        "\"photoBucket\":",
        "\"photoKey\":",
        "\"thumbKey\":",
        "\"photoURL\":",
        "\"thumbURL\":",
        "\"expiresAt\":",
    ];
    let places: Vec<_> = order.iter().map(|name| text.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert_eq!(app.dynamodb().calls("BatchGetItem"), 0, "nothing needed the fallback");
    assert_eq!(app.dynamodb().calls("Query"), 1);
}

#[actix_web::test]
async fn what_an_occurrence_lacks_comes_from_the_table_of_photos() {
    let app = TestApp::start().await;
    let mut only_bucket = unlocated("anna", "2", "p-2");
    only_bucket.insert("photoBucket".into(), s("other-raw"));
    let mut only_key = unlocated("anna", "3", "p-3");
    only_key.insert("photoKey".into(), s("elsewhere/3.jpg"));
    let mut empty = unlocated("anna", "4", "p-4");
    empty.insert("photoBucket".into(), s(""));
    empty.insert("photoKey".into(), s(""));
    let mut odd = unlocated("anna", "5", "p-5");
    odd.insert("photoBucket".into(), n("7"));
    odd.insert("photoKey".into(), AttributeValue::Null(true));
    app.put_occurrences([unlocated("anna", "1", "p-1"), only_bucket, only_key, empty, odd]).await;
    app.put_photos((1..=5).map(|number| photo(&format!("p-{number}")))).await;

    let answer = app.get("/persons/anna/photos").await.ok();

    let places: Vec<_> = answer["photos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|photo| (photo["photoBucket"].as_str().unwrap(), photo["photoKey"].as_str().unwrap()))
        .collect();
    assert_eq!(
        places,
        [
            ("raw", "photos-raw/p-1.jpg"),
            ("other-raw", "photos-raw/p-2.jpg"),
            ("raw", "elsewhere/3.jpg"),
            ("raw", "photos-raw/p-4.jpg"),
            ("raw", "photos-raw/p-5.jpg"),
        ]
    );
    assert_eq!(app.dynamodb().calls("BatchGetItem"), 1);
}

#[actix_web::test]
async fn occurrences_without_a_photo_are_skipped_and_without_a_place_get_no_url() {
    let app = TestApp::start().await;
    let mut without_id = located("anna", "1", "x");
    without_id.remove("photoId");
    let mut empty_id = located("anna", "2", "x");
    empty_id.insert("photoId".into(), s(""));
    let mut odd_id = located("anna", "3", "x");
    odd_id.insert("photoId".into(), n("3"));
    app.put_occurrences([
        without_id,
        empty_id,
        odd_id,
        unlocated("anna", "4", "no-row"),
        unlocated("anna", "5", "no-key"),
        unlocated("anna", "6", "nothing"),
        located("anna", "7", "fine"),
        unlocated("anna", "8", &"longer than any key ".repeat(200)),
    ])
    .await;
    app.put_photos([
        row([("photoId", s("no-key")), ("s3Bucket", s("raw"))]),
        row([("photoId", s("nothing")), ("s3Bucket", s("")), ("s3Key", n("1"))]),
    ])
    .await;

    let answer = app.get("/persons/anna/photos").await.ok();

    assert_eq!(photo_ids(&answer), ["no-key", "nothing", "fine"]);
    let photos = &answer["photos"];
    assert_eq!((&photos[0]["photoBucket"], &photos[0]["photoKey"]), (&json!("raw"), &Value::Null));
    assert_eq!((&photos[1]["photoBucket"], &photos[1]["photoKey"]), (&Value::Null, &Value::Null));
    assert_eq!((&photos[0]["photoURL"], &photos[1]["photoURL"]), (&Value::Null, &Value::Null));
    assert!(photos[0]["thumbURL"].is_string() && photos[2]["photoURL"].is_string());
    assert_eq!(app.metric(r#"beetroot_odd_rows_total{table="occurrences",attribute="photoId"}"#), 4);
    assert_eq!(app.metric(r#"beetroot_odd_rows_total{table="photos",attribute="s3Key"}"#), 3);
}

#[actix_web::test]
async fn an_unknown_person_is_an_empty_list() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/persons/nobody/photos").await.ok(), json!({"personId": "nobody", "photos": []}));
}

#[actix_web::test]
async fn a_person_is_one_percent_decoded_segment() {
    let app = TestApp::start().await;
    let names = ["Zoë", "a/b", "50%", "a+b", "a b", "..", "?#&", "%2F"];
    app.put_occurrences(names.map(|name| located(name, "1", "p"))).await;

    for (path, name) in [
        ("Zo%C3%AB", "Zoë"),
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("50%25", "50%"),
        ("50%", "50%"),
        ("a+b", "a+b"),
        ("a%20b", "a b"),
        ("..", ".."),
        ("%3F%23%26", "?#&"),
        ("%252F", "%2F"),
    ] {
        let answer = app.raw(&format!("GET /persons/{path}/photos HTTP/1.1")).await;
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["personId"], name, "{path}: {answer}");
        assert_eq!(photo_ids(&body), ["p"], "{path}");
    }
}

#[actix_web::test]
async fn the_fallback_asks_for_distinct_photos_by_the_hundred() {
    let app = TestApp::start().await;
    let occurrences =
        (0..500).map(|number| unlocated("anna", &format!("{number:03}"), &format!("p-{}", number % 250)));
    app.put_occurrences(occurrences).await;
    app.put_photos((0..250).map(|number| photo(&format!("p-{number}")))).await;

    let answer = app.get("/persons/anna/photos?limit=500").await.ok();

    assert_eq!(photo_ids(&answer).len(), 500);
    assert_eq!(app.dynamodb().calls("BatchGetItem"), 3);
    assert_eq!(app.dynamodb().calls("Query"), 1);
}

#[actix_web::test]
async fn unprocessed_keys_are_asked_for_again_until_the_list_is_complete() {
    let app = TestApp::start().await;
    app.put_occurrences(
        (0..90).map(|number| unlocated("anna", &format!("{number:03}"), &format!("p-{number}"))),
    )
    .await;
    app.put_photos((0..90).map(|number| photo(&format!("p-{number}")))).await;
    app.dynamodb().leave_unprocessed(40, 2);

    let answer = app.get("/persons/anna/photos").await.ok();

    assert_eq!(photo_ids(&answer).len(), 90);
    assert_eq!(app.dynamodb().calls("BatchGetItem"), 3);
}

#[actix_web::test]
async fn a_list_that_cannot_be_completed_is_503_and_never_short() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.dynamodb.operation_timeout = std::time::Duration::from_millis(300);
    })
    .await;
    app.put_occurrences([unlocated("anna", "1", "p-1"), located("anna", "2", "p-2")]).await;
    app.put_photos([photo("p-1")]).await;
    app.dynamodb().leave_unprocessed(0, u32::MAX);

    let answer = app.get("/persons/anna/photos").await;

    answer.assert_error(503);
    answer.assert_header("retry-after", "1");
}

async fn all_pages(app: &TestApp, limit: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let mut query = format!("?limit={limit}");
    loop {
        let page = app.get(&format!("/persons/anna/photos{query}")).await.ok();
        assert!(photo_ids(&page).len() <= limit);
        seen.extend(photo_ids(&page).into_iter().map(str::to_owned));
        match page.get("nextCursor").map(|cursor| cursor.as_str().unwrap()) {
            Some(cursor) => query = format!("?limit={limit}&cursor={cursor}"),
            None => return seen,
        }
    }
}

type SortValue = Box<dyn Fn(u8) -> AttributeValue>;

#[actix_web::test]
async fn cursors_lead_through_all_photos_once_whatever_the_sort_key_is() {
    let binary = |number: u8| AttributeValue::B(Blob::new([number, 0, 255]));
    let kinds: [(&str, ScalarAttributeType, SortValue); 3] = [
        ("takenAt#", ScalarAttributeType::N, Box::new(|number| n(format!("{number}.25")))),
        ("sort-key", ScalarAttributeType::B, Box::new(binary)),
        ("größe", ScalarAttributeType::S, Box::new(|number| s(format!("{number:03}")))),
    ];
    for (name, kind, value) in kinds {
        let app = TestApp::start_with(|wishes| wishes.sort_key = (name, kind)).await;
        let rows: Vec<Row> = (0..23)
            .map(|number| {
                let mut row = located("anna", "", &format!("p-{number}"));
                row.remove("occurrenceId");
                row.insert(name.into(), value(number));
                row
            })
            .collect();
        app.put_occurrences(rows).await;
        let expected: Vec<_> = (0..23).map(|number| format!("p-{number}")).collect();
        for limit in [1, 5, 22, 23, 24] {
            assert_eq!(all_pages(&app, limit).await, expected, "{name} by {limit}");
        }
    }
}

#[actix_web::test]
async fn a_page_has_200_photos_unless_limit_says_otherwise() {
    let app = TestApp::start().await;
    app.put_occurrences((0..1005).map(|number| located("anna", &format!("{number:04}"), "p"))).await;
    for (query, expected) in [("", 200), ("?limit=1", 1), ("?limit=1000", 1000)] {
        let answer = app.get(&format!("/persons/anna/photos{query}")).await.ok();
        assert_eq!(photo_ids(&answer).len(), expected, "{query}");
        assert!(answer["nextCursor"].is_string(), "{query}");
    }
}

#[actix_web::test]
async fn a_full_last_page_has_no_cursor_and_costs_one_query() {
    let app = TestApp::start().await;
    app.put_occurrences((0..200).map(|number| located("anna", &format!("{number:03}"), "p"))).await;

    let answer = app.get("/persons/anna/photos").await.ok();

    assert_eq!(photo_ids(&answer).len(), 200);
    assert!(answer.get("nextCursor").is_none());
    assert_eq!(app.dynamodb().calls("Query"), 1);
}

#[actix_web::test]
async fn a_page_is_filled_from_several_answers_of_dynamodb() {
    let app = TestApp::start().await;
    // 1,000 rows of 3 KB are three of DynamoDB's megabytes
    let padding = "x".repeat(3000);
    app.put_occurrences((0..1000).map(|number| {
        let mut row = located("anna", &format!("{number:04}"), "p");
        row.insert("padding".into(), s(padding.clone()));
        row
    }))
    .await;

    let answer = app.get("/persons/anna/photos?limit=1000").await.ok();

    assert_eq!(photo_ids(&answer).len(), 1000);
    assert!(app.dynamodb().calls("Query") >= 3);
}

#[actix_web::test]
async fn both_pictures_are_fetched_by_their_urls() {
    let app = TestApp::start().await;
    app.put_occurrences([unlocated("anna", "1", "p-1")]).await;
    app.put_photos([photo("p-1")]).await;
    app.put_object(RAW_BUCKET, "photos-raw/p-1.jpg", b"the photo").await;
    app.put_object(THUMBS_BUCKET, "faces-thumbs/anna/p-1.jpg", b"the face").await;

    let answer = app.get("/persons/anna/photos").await.ok();

    for (name, bytes) in [("photoURL", &b"the photo"[..]), ("thumbURL", b"the face")] {
        let picture = app.fetch(Method::GET, answer["photos"][0][name].as_str().unwrap(), &[]).await;
        assert_eq!(picture.assert_status(200).body, bytes);
    }
    assert_eq!(app.s3().gets(), 2);
}
