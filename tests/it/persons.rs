//! `GET /persons`.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use beetroot_api::clock::Clock;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::rows::{n, person, row, s};
use super::test_app::{THUMBS_BUCKET, TestApp};

fn ids(answer: &Value) -> Vec<&str> {
    answer["persons"].as_array().unwrap().iter().map(|person| person["personId"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn persons_are_ranked_by_photo_count_and_ties_by_identifier() {
    let app = TestApp::start().await;
    app.put_persons([
        person("b", "2"),
        person("a", "2"),
        person("few", "1.5"),
        person("most", "11"),
        person("none", "0"),
        person("huge", "99999999999999999999999999999999999999"),
        person("negative", "-1"),
    ])
    .await;

    let answer = app.get("/persons").await.ok();

    assert_eq!(ids(&answer), ["huge", "most", "a", "b", "few", "none", "negative"]);
}

#[actix_web::test]
async fn a_photo_count_is_a_json_number_and_zero_when_missing_or_odd() {
    let app = TestApp::start().await;
    app.put_persons([
        person("whole", "7.00"),
        person("fraction", "2.5"),
        row([("personId", s("missing"))]),
        row([("personId", s("text")), ("photoCount", s("12"))]),
        row([("personId", s("list")), ("photoCount", AttributeValue::L(vec![n("3")]))]),
    ])
    .await;

    let answer = app.get("/persons").await.ok();

    let counts: Vec<_> =
        answer["persons"].as_array().unwrap().iter().map(|person| person["photoCount"].to_string()).collect();
    assert_eq!(counts, ["7", "2.5", "0", "0", "0"]);
    assert_eq!(app.metric(r#"beetroot_odd_rows_total{table="persons",attribute="photoCount"}"#), 2);
}

#[actix_web::test]
async fn the_answer_has_the_fields_of_the_contract_in_its_order() {
    let app = TestApp::start_with(|wishes| {
        wishes.clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
    })
    .await;
    app.put_persons([
        person("0c7d", "2"),
        row([("personId", s("nobody")), ("photoCount", n("1")), ("repThumbKey", s(""))]),
        row([("personId", s("odd")), ("repThumbKey", n("5"))]),
    ])
    .await;

    let answer = app.get("/persons").await;

    let body = answer.ok();
    let url = body["persons"][0]["repThumbURL"].as_str().unwrap();
    assert!(url.contains("/thumbs/faces-thumbs/0c7d.jpg?"), "{url}");
    let expected = json!({"persons": [
        {"personId": "0c7d", "photoCount": 2, "repThumbKey": "faces-thumbs/0c7d.jpg", "repThumbURL": url},
        {"personId": "nobody", "photoCount": 1, "repThumbKey": "", "repThumbURL": null},
        {"personId": "odd", "photoCount": 0, "repThumbKey": null, "repThumbURL": null},
    ], "expiresAt": body["expiresAt"]});
    assert_eq!(body, expected);
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let order = [
        "{\"persons\":[{\"personId\":",
        "\"photoCount\":",
        "\"repThumbKey\":",
        "\"repThumbURL\":",
        "\"expiresAt\":",
    ];
    let places: Vec<_> = order.iter().map(|name| text.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    answer.assert_header("cache-control", "private, no-cache");
    answer.assert_header("x-content-type-options", "nosniff");
    answer.assert_header("referrer-policy", "no-referrer");
}

#[actix_web::test]
async fn expires_at_is_the_end_of_the_first_url_and_absent_without_urls() {
    let app = TestApp::start().await;
    app.put_persons([row([("personId", s("nobody"))])]).await;
    assert!(app.get("/persons").await.ok().get("expiresAt").is_none());

    app.let_answers_expire();
    app.put_persons((0..50).map(|number| person(&format!("p{number}"), "1"))).await;
    let answer = app.get("/persons").await.ok();

    let ends: Vec<Timestamp> = answer["persons"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|person| person["repThumbURL"].as_str())
        .map(super::signed_urls::end_of)
        .collect();
    assert_eq!(ends.len(), 50);
    let said: Timestamp = answer["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(Some(&said), ends.iter().min());
    assert!(answer["expiresAt"].as_str().unwrap().ends_with('Z'));
}

#[actix_web::test]
async fn a_page_has_100_persons_unless_limit_says_otherwise() {
    let app = TestApp::start().await;
    app.put_persons((0..505).map(|number| person(&format!("p{number:03}"), "1"))).await;

    for (query, expected) in [("", 100), ("?limit=1", 1), ("?limit=500", 500), ("?other=1&limit=7", 7)] {
        let answer = app.get(&format!("/persons{query}")).await.ok();
        assert_eq!(ids(&answer).len(), expected, "{query}");
        assert!(answer["nextCursor"].is_string(), "{query}");
    }
}

#[actix_web::test]
async fn cursors_lead_through_the_whole_ranking_once() {
    let app = TestApp::start().await;
    app.put_persons((0..23).map(|number| person(&format!("p{number:03}"), &format!("{}.5", number % 4))))
        .await;
    let whole = app.get("/persons").await.ok();
    assert!(whole.get("nextCursor").is_none());

    for limit in [1, 5, 22, 23] {
        let mut seen = Vec::new();
        let mut query = format!("?limit={limit}");
        loop {
            let page = app.get(&format!("/persons{query}")).await.ok();
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            match page.get("nextCursor").map(|cursor| cursor.as_str().unwrap()) {
                Some(cursor) => query = format!("?limit={limit}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, ids(&whole), "by {limit}");
    }
}

#[actix_web::test]
async fn the_ranking_covers_persons_beyond_the_first_page_of_the_scan() {
    let app = TestApp::start().await;
    // 1,500 rows of 2 KB are three pages of DynamoDB's megabyte
    let padding = "x".repeat(2000);
    app.put_persons((0..1500).map(|number| {
        let mut row = person(&format!("p{number:04}"), &number.to_string());
        row.insert("padding".into(), s(padding.clone()));
        row
    }))
    .await;

    let answer = app.get("/persons?limit=3").await.ok();

    assert_eq!(ids(&answer), ["p1499", "p1498", "p1497"]);
    assert!(app.dynamodb().calls("Scan") >= 3, "{}", app.dynamodb().calls("Scan"));
    let asked = app.dynamodb().last_request("Scan").unwrap();
    let names: BTreeSet<_> = asked["ExpressionAttributeNames"]
        .as_object()
        .unwrap()
        .values()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(names, BTreeSet::from(["personId", "photoCount", "repThumbKey"]));
    assert!(asked["ProjectionExpression"].is_string());
}

#[actix_web::test]
async fn a_scan_that_ends_at_its_limit_is_counted() {
    let app = TestApp::start_with(|wishes| wishes.settings.persons.scan_limit = 3).await;
    app.put_persons((0..3).map(|number| person(&format!("p{number}"), "1"))).await;
    assert_eq!(ids(&app.get("/persons").await.ok()).len(), 3);
    assert_eq!(app.metric("beetroot_scans_cut_short_total"), 0);

    app.let_answers_expire();
    app.put_persons([person("p4", "1")]).await;

    assert_eq!(ids(&app.get("/persons").await.ok()).len(), 3);
    assert_eq!(app.metric("beetroot_scans_cut_short_total"), 1);
}

#[actix_web::test]
async fn a_thumbnail_is_fetched_by_its_url() {
    let app = TestApp::start().await;
    app.put_persons([person("0c7d", "2")]).await;
    app.put_object(THUMBS_BUCKET, "faces-thumbs/0c7d.jpg", b"a picture").await;

    let answer = app.get("/persons").await.ok();

    let url = answer["persons"][0]["repThumbURL"].as_str().unwrap();
    let picture = app.fetch(Method::GET, url, &[]).await;
    picture.assert_status(200).assert_header("cache-control", "private, max-age=3600, immutable");
    assert_eq!(picture.body, b"a picture");
}

#[actix_web::test]
async fn an_empty_table_is_an_empty_list() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/persons").await.ok(), json!({"persons": []}));
}
