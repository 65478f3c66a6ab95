//! What the service refuses to wait for, or to work on at once.

use std::time::Duration;

use futures_util::future::join_all;

use super::rows::person;
use super::test_app::TestApp;

#[actix_web::test]
async fn a_request_beyond_max_in_flight_is_503_at_once() {
    let app = TestApp::start_with(|wishes| wishes.settings.server.max_in_flight = 2).await;
    app.put_persons([person("anna", "1")]).await;
    app.dynamodb().delay_all(Duration::from_millis(500));

    let answers = join_all((0..6).map(|_| app.get("/persons"))).await;

    let good = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(good, 2);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.assert_error(503);
        refused.assert_header("retry-after", "1");
    }
    assert_eq!(app.metric(r#"beetroot_http_overload_total{reason="in_flight"}"#), 4);
    assert_eq!(app.metric("beetroot_http_in_flight"), 0);
    app.dynamodb().heal();
    app.get("/persons").await.ok();
}

#[actix_web::test]
async fn health_and_metrics_answer_when_no_request_more_is_worked_on() {
    let app = TestApp::start_with(|wishes| wishes.settings.server.max_in_flight = 1).await;
    app.get("/readyz").await.ok();
    app.dynamodb().delay_all(Duration::from_millis(500));
    let (slow, ()) = futures_util::future::join(app.get("/persons"), async {
        while app.metric("beetroot_http_in_flight") == 0 {
            tokio::task::yield_now().await;
        }
        for path in ["/healthz", "/readyz", "/metrics"] {
            app.get(path).await.assert_status(200);
        }
        app.get("/persons/a/photos").await.assert_error(503);
    })
    .await;
    slow.assert_status(200);
}

#[actix_web::test]
async fn a_client_that_goes_away_frees_its_place() {
    let app = TestApp::start_with(|wishes| wishes.settings.server.max_in_flight = 1).await;
    app.dynamodb().hang_all();
    let gone = tokio::time::timeout(Duration::from_millis(200), app.get("/persons")).await;
    assert!(gone.is_err());
    while app.metric("beetroot_http_in_flight") > 0 {
        tokio::task::yield_now().await;
    }
    app.dynamodb().heal();
    app.get("/persons").await.ok();
}

#[actix_web::test]
async fn a_request_takes_no_longer_than_its_timeout() {
    let app =
        TestApp::start_with(|wishes| wishes.settings.server.request_timeout = Duration::from_millis(200))
            .await;
    app.dynamodb().hang_all();
    let answer = app.get("/persons").await;
    answer.assert_error(503);
    answer.assert_header("retry-after", "1");
}

#[actix_web::test]
async fn what_waits_for_a_place_asks_dynamodb_nothing_and_is_a_503_after_a_second() {
    let app = TestApp::start_with(|wishes| wishes.settings.lists.made_at_once = 1).await;
    app.dynamodb().hang_all();
    let begun = app.get("/persons/anna/photos");
    let waiting = async {
        while app.dynamodb().calls("Query") == 0 {
            tokio::task::yield_now().await;
        }
        let answer = app.get("/persons/ben/photos").await;
        answer.assert_error(503);
        answer.assert_header("retry-after", "1");
        assert_eq!(app.dynamodb().calls("Query"), 1);
        assert_eq!(app.metric(r#"beetroot_http_overload_total{reason="made_at_once"}"#), 1);
        assert_eq!(app.metric(r#"beetroot_http_overload_total{reason="in_flight"}"#), 0);
        app.dynamodb().heal();
    };
    futures_util::future::join(begun, waiting).await;
    app.get("/persons/ben/photos").await.ok();
}

#[actix_web::test]
async fn pages_that_wait_for_the_ranking_take_no_place_from_others() {
    let app = TestApp::start_with(|wishes| wishes.settings.lists.made_at_once = 1).await;
    app.dynamodb().hang_all();
    let ranking = join_all([app.get("/persons?limit=1"), app.get("/persons?limit=2")]);
    let photos = async {
        while app.dynamodb().calls("Scan") == 0 {
            tokio::task::yield_now().await;
        }
        // what hangs goes on hanging, until its attempt is over
        app.dynamodb().heal();
        app.get("/persons/anna/photos").await.ok();
    };
    futures_util::future::join(ranking, photos).await;
}

#[actix_web::test]
async fn a_place_that_becomes_free_is_taken() {
    let app = TestApp::start_with(|wishes| wishes.settings.lists.made_at_once = 1).await;
    app.dynamodb().delay_all(Duration::from_millis(50));
    let pages = ["anna", "ben", "chloe"].map(|person| format!("/persons/{person}/photos"));
    let answers = join_all(pages.iter().map(|page| app.get(page))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}
