//! What load balancers ask.

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use beetroot_api::config::RedisUrl;
use futures_util::future::join_all;
use serde_json::json;

use super::answer::Answer;
use super::redis_server::RedisServer;
use super::rows::person;
use super::test_app::{TestApp, emulator_credentials};

/// A service whose calls to DynamoDB wait for an answer so short that a test can wait for them.
async fn impatient() -> TestApp {
    TestApp::start_with(|wishes| {
        wishes.settings.dynamodb.attempt_timeout = Duration::from_millis(100);
        wishes.settings.dynamodb.operation_timeout = Duration::from_millis(200);
    })
    .await
}

/// A load balancer's question after so many seconds; health checks count for one.
async fn after(app: &TestApp, seconds: u64) -> Answer {
    app.clock.advance(Duration::from_secs(seconds));
    app.get("/readyz").await
}

/// A load balancer asks once a second for so long; gives the last answer.
async fn asked_each_second_for(app: &TestApp, seconds: u64) -> Answer {
    for _ in 1..seconds {
        after(app, 1).await;
    }
    after(app, 1).await
}

#[actix_web::test]
async fn an_instance_is_ready_when_each_table_was_reached_once() {
    let app = TestApp::start().await;
    app.get("/healthz").await.ok();
    assert_eq!(app.dynamodb().calls_total(), 0, "nobody is asked before somebody asks");
    let body = app.get("/readyz").await.ok();
    let tables = json!({ "persons": "reached", "occurrences": "reached", "photos": "reached" });
    assert_eq!(body, json!({ "ready": true, "tables": tables, "credentials": "alive", "redis": "off" }));
    let calls = ["Scan", "Query", "BatchGetItem"].map(|operation| app.dynamodb().calls(operation));
    assert_eq!(calls, [1, 1, 1]);
}

#[actix_web::test]
async fn what_requests_find_out_saves_asking() {
    let app = TestApp::start().await;
    app.get("/readyz").await.ok();
    for _ in 0..30 {
        app.dynamodb().reset_counts();
        app.let_answers_expire();
        app.get("/persons").await.ok();
        app.get("/persons/anna/photos").await.ok();
        app.get("/readyz").await.ok();
        let calls = ["Scan", "Query", "BatchGetItem"].map(|operation| app.dynamodb().calls(operation));
        assert_eq!(calls, [1, 1, 1], "only of the photos nothing was heard");
    }
}

#[actix_web::test]
async fn however_many_ask_a_check_runs_once_a_second_and_a_table_is_asked_once_in_ten() {
    let app = TestApp::start().await;
    for _ in 0..30 {
        let answers = join_all((0..20).map(|_| app.get("/readyz"))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
        app.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(app.dynamodb().calls("Scan"), 3);
    assert_eq!(app.dynamodb().calls_total(), 9);
}

#[actix_web::test]
async fn an_instance_that_never_reached_a_table_is_not_ready() {
    let app = TestApp::start_with(|wishes| wishes.settings.dynamodb.photos_table = "Fotos".to_owned()).await;
    let answer = app.get("/readyz").await;
    assert_eq!(answer.assert_error(503), "a table was not reached yet");
    answer.assert_header("retry-after", "1");
    let body = answer.json();
    assert_eq!(body["ready"], false);
    assert_eq!(
        body["tables"],
        json!({ "persons": "reached", "occurrences": "reached", "photos": "unknown" })
    );
}

#[actix_web::test]
async fn an_instance_without_rights_is_not_ready_until_it_has_them() {
    let app = TestApp::start().await;
    app.dynamodb().deny_all();
    assert_eq!(after(&app, 1).await.assert_error(503), "a table was not reached yet");
    app.dynamodb().heal();
    after(&app, 1).await.ok();
}

#[actix_web::test]
async fn a_throttled_table_keeps_no_instance_from_starting() {
    let app = impatient().await;
    app.dynamodb().throttle_all();
    app.get("/readyz").await.ok();
}

#[actix_web::test]
async fn faults_that_all_instances_share_make_none_unready() {
    let app = impatient().await;
    app.get("/readyz").await.ok();
    let emulator = app.dynamodb();
    let faults: [(&str, &dyn Fn()); 3] = [
        ("throttled", &|| emulator.throttle_all()),
        ("failing", &|| emulator.fail_all()),
        ("denied", &|| emulator.deny_all()),
    ];
    for (fault, begin) in faults {
        begin();
        for minute in 0..60 {
            let answer = after(&app, 60).await;
            assert_eq!(answer.status, 200, "{fault}, minute {minute}: {answer}");
        }
        emulator.heal();
    }
}

#[actix_web::test]
async fn an_instance_without_answers_is_unready_after_half_a_minute_and_ready_with_the_first_answer() {
    let app = impatient().await;
    app.get("/readyz").await.ok();
    app.clock.advance(Duration::from_secs(10));
    app.dynamodb().hang_all();
    let answer = asked_each_second_for(&app, 30).await;
    assert_eq!(answer.status, 200, "slow for a moment: {answer}");
    let answer = after(&app, 1).await;
    assert_eq!(answer.assert_error(503), "a table is unreachable");
    assert_eq!(answer.json()["tables"]["persons"], "unreachable");
    app.get("/healthz").await.ok();

    app.dynamodb().heal();
    after(&app, 1).await.ok();
}

#[actix_web::test]
async fn one_answer_in_between_begins_the_half_minute_anew() {
    let app = impatient().await;
    app.get("/readyz").await.ok();
    app.clock.advance(Duration::from_secs(10));
    for _ in 0..3 {
        app.dynamodb().hang_all();
        asked_each_second_for(&app, 20).await.ok();
        app.dynamodb().heal();
        after(&app, 1).await.ok();
    }
}

#[actix_web::test]
async fn one_failure_a_long_time_ago_is_no_silence() {
    let app = impatient().await;
    app.get("/readyz").await.ok();
    app.dynamodb().hang_all();
    app.get("/persons").await.assert_error(503);
    app.get("/readyz").await.ok();
    app.dynamodb().heal();
    after(&app, 3600).await.ok();
}

#[actix_web::test]
async fn redis_only_informs() {
    let redis = RedisServer::start();
    let url = RedisUrl::parse(&redis.url()).unwrap();
    let app = TestApp::start_with(|wishes| wishes.settings.redis.url = Some(url)).await;
    app.put_persons([person("anna", "1")]).await;
    assert_eq!(app.get("/readyz").await.ok()["redis"], "used");
    drop(redis);
    while app.metric("beetroot_redis_breaker_open") == 0 {
        app.let_answers_expire();
        app.get("/persons").await.ok();
    }
    assert_eq!(app.get("/readyz").await.ok()["redis"], "failing");
}

#[actix_web::test]
async fn without_credentials_it_is_alive_and_not_ready() {
    let app = TestApp::start_with(|wishes| {
        let expired = emulator_credentials(Some(wishes.clock.now()));
        wishes.credentials = SharedCredentialsProvider::new(expired);
    })
    .await;
    app.get("/healthz").await.ok();
    let answer = app.get("/readyz").await;
    assert_eq!(answer.assert_error(503), "no credentials");
    assert_eq!(answer.json()["credentials"], "missing");
}
