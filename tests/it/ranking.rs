//! One ranking in memory for all pages of `GET /persons`.

use std::time::Duration;

use beetroot_api::config::ByteSize;
use futures_util::future::join_all;

use super::answer::Answer;
use super::rows::{person, row, s};
use super::test_app::TestApp;

/// Without pictures, whose URLs would be renewed one by one.
async fn put_plain_persons(app: &TestApp, numbers: std::ops::Range<u32>) {
    app.put_persons(numbers.map(|number| row([("personId", s(format!("p{number:04}")))]))).await;
}

async fn start_with_plain_persons(number: u32) -> TestApp {
    let app = TestApp::start_with(|wishes| wishes.settings.dynamodb.max_attempts = 1).await;
    put_plain_persons(&app, 0..number).await;
    app
}

fn ids(answer: &Answer) -> Vec<String> {
    let persons = answer.ok()["persons"].as_array().unwrap().clone();
    persons.iter().map(|person| person["personId"].as_str().unwrap().to_owned()).collect()
}

fn scans(app: &TestApp) -> u64 {
    app.dynamodb().calls("Scan")
}

fn pages(app: &TestApp, source: &str) -> u64 {
    app.metric(&format!(r#"beetroot_ranking_pages_total{{source="{source}"}}"#))
}

fn stale(app: &TestApp) -> u64 {
    app.metric(r#"beetroot_answers_total{state="stale"}"#)
}

async fn walk(app: &TestApp, limit: usize) -> Vec<String> {
    let (mut seen, mut query) = (Vec::new(), format!("?limit={limit}"));
    loop {
        let page = app.get(&format!("/persons{query}")).await;
        seen.extend(ids(&page));
        match page.ok().get("nextCursor") {
            Some(cursor) => query = format!("?limit={limit}&cursor={}", cursor.as_str().unwrap()),
            None => return seen,
        }
    }
}

/// Waits for what happens behind an answer's back.
async fn until(happened: impl AsyncFn() -> bool) {
    let waiting = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("within 20 seconds");
}

#[actix_web::test]
async fn different_pages_at_once_are_one_scan() {
    let app = TestApp::start_with(|wishes| wishes.settings.server.workers = 4).await;
    app.put_persons((0..50).map(|number| person(&format!("p{number:04}"), "1"))).await;
    app.dynamodb().delay_all(Duration::from_millis(500));

    let limits: Vec<usize> = (1..=40).collect();
    let paths: Vec<String> = limits.iter().map(|limit| format!("/persons?limit={limit}")).collect();
    let answers = join_all(paths.iter().map(|path| app.get(path))).await;

    for (limit, answer) in limits.iter().zip(&answers) {
        assert_eq!(ids(answer).len(), *limit);
    }
    assert_eq!(scans(&app), 1);
    assert_eq!(pages(&app, "scan") + pages(&app, "memory"), 40);
}

#[actix_web::test]
async fn all_pages_one_after_another_are_one_scan_and_show_each_person_once() {
    let app = start_with_plain_persons(230).await;

    let seen = walk(&app, 10).await;

    assert_eq!(seen, (0..230).map(|number| format!("p{number:04}")).collect::<Vec<_>>());
    assert_eq!(scans(&app), 1);
    assert_eq!((pages(&app, "scan"), pages(&app, "memory"), pages(&app, "alone")), (1, 22, 0));
    assert!((230 * 60..230 * 300).contains(&app.metric("beetroot_ranking_bytes")));
}

#[actix_web::test]
async fn a_changed_table_is_seen_by_a_page_that_is_asked_for_after_the_fresh_time() {
    let app = start_with_plain_persons(1).await;
    app.get("/persons").await.ok();
    put_plain_persons(&app, 1..2).await;
    app.clock.advance(Duration::from_secs(4));
    assert_eq!(ids(&app.get("/persons?limit=7").await), ["p0000"]);

    app.clock.advance(Duration::from_secs(1));

    assert_eq!(ids(&app.get("/persons?limit=8").await), ["p0000", "p0001"]);
}

#[actix_web::test]
async fn an_answer_made_of_the_ranking_in_memory_is_fresh_no_longer_than_that() {
    let app = start_with_plain_persons(1).await;
    app.get("/persons").await.ok();
    put_plain_persons(&app, 1..2).await;
    app.clock.advance(Duration::from_secs(4));
    app.get("/persons?limit=7").await.ok();
    assert_eq!(scans(&app), 0, "made of what was read for the other page");

    app.clock.advance(Duration::from_secs(1));

    assert_eq!(ids(&app.get("/persons?limit=7").await), ["p0000"], "given while a new one is being made");
    assert_eq!(stale(&app), 1);
    until(async || ids(&app.get("/persons?limit=7").await).len() == 2).await;
    assert_eq!(scans(&app), 1);
}

#[actix_web::test]
async fn an_answer_made_of_the_ranking_in_memory_is_never_given_when_it_is_too_old() {
    let app = start_with_plain_persons(1).await;
    app.get("/persons").await.ok();
    put_plain_persons(&app, 1..2).await;
    app.clock.advance(Duration::from_secs(4));
    app.get("/persons?limit=7").await.ok();

    // 35 s after the scan, 31 s after the answer was made
    app.clock.advance(Duration::from_secs(31));

    assert_eq!(ids(&app.get("/persons?limit=7").await), ["p0000", "p0001"]);
    assert_eq!(stale(&app), 0);
}

#[actix_web::test]
async fn a_client_that_goes_away_leaves_its_scan_to_the_other_pages() {
    let app = start_with_plain_persons(3).await;
    app.dynamodb().delay_all(Duration::from_millis(600));
    let gone = tokio::time::timeout(Duration::from_millis(200), app.get("/persons")).await;
    assert!(gone.is_err());

    assert_eq!(ids(&app.get("/persons?limit=2").await), ["p0000", "p0001"]);

    assert_eq!(scans(&app), 1);
}

#[actix_web::test]
async fn while_dynamodb_fails_pages_in_memory_are_given_and_others_are_503() {
    let app = start_with_plain_persons(3).await;
    app.get("/persons?limit=2").await.ok();
    app.dynamodb().fail_all();
    assert_eq!(ids(&app.get("/persons?limit=1").await), ["p0000"], "the ranking in memory needs no table");
    app.clock.advance(Duration::from_secs(60));

    for _ in 0..2 {
        assert_eq!(ids(&app.get("/persons?limit=2").await), ["p0000", "p0001"]);
        app.get("/persons?limit=3").await.assert_error(503);
    }

    app.dynamodb().heal();
    assert_eq!(ids(&app.get("/persons?limit=3").await).len(), 3);
}

#[actix_web::test]
async fn a_ranking_that_is_too_large_stays_within_its_memory_and_is_whole() {
    let app = TestApp::start_with(|wishes| wishes.settings.cache.memory = ByteSize(1 << 20)).await;
    put_plain_persons(&app, 0..3000).await;

    let first = app.get("/persons").await;
    assert_eq!(ids(&first).len(), 100);
    app.get("/persons?limit=99").await.ok();
    assert_eq!(scans(&app), 1, "its head is in memory");
    let seen = walk(&app, 500).await;

    assert_eq!(seen, (0..3000).map(|number| format!("p{number:04}")).collect::<Vec<_>>());
    assert!(pages(&app, "alone") > 0);
    assert_eq!(scans(&app), 1 + pages(&app, "alone"));
    let bytes = app.metric("beetroot_ranking_bytes");
    assert!((100 << 10..=128 << 10).contains(&bytes), "{bytes}");
}
