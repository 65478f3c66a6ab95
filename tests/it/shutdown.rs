//! A graceful end.

use std::time::Duration;

use futures_util::future::join;

use super::rows::person;
use super::test_app::TestApp;

#[actix_web::test]
async fn requests_in_flight_are_answered_and_then_it_ends() {
    let mut app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    app.dynamodb().delay_all(Duration::from_millis(500));
    let addr = app.addr;
    let slow = actix_web::rt::spawn(reqwest::get(format!("http://{addr}/persons")));
    while app.metric("beetroot_http_in_flight") == 0 {
        tokio::task::yield_now().await;
    }

    app.begin_shutdown();
    let (answer, ()) = join(slow, app.ended()).await;

    let answer = answer.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["connection"], "close");
    assert!(answer.text().await.unwrap().contains("anna"));
    assert!(reqwest::get(format!("http://{addr}/healthz")).await.is_err(), "the listener is closed");
}

#[actix_web::test]
async fn readiness_is_off_while_it_drains_and_requests_are_still_answered() {
    let mut app =
        TestApp::start_with(|wishes| wishes.settings.server.drain_delay = Duration::from_secs(2)).await;
    app.put_persons([person("anna", "1")]).await;
    app.get("/readyz").await.ok();

    app.begin_shutdown();
    while app.get("/readyz").await.status == 200 {}

    assert_eq!(app.get("/readyz").await.assert_error(503), "draining");
    app.get("/healthz").await.ok();
    app.get("/persons").await.assert_header("connection", "close").ok();
    app.ended().await;
}

#[actix_web::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let mut app = TestApp::start().await;
    // the client keeps its connection open
    app.get("/healthz").await.ok();
    app.begin_shutdown();
    tokio::time::timeout(Duration::from_secs(10), app.ended())
        .await
        .expect("long before the keep-alive of 75 seconds");
}

#[actix_web::test]
async fn a_request_that_never_ends_is_cut_off_at_the_timeout() {
    let mut app =
        TestApp::start_with(|wishes| wishes.settings.server.shutdown_timeout = Duration::from_secs(1)).await;
    app.dynamodb().hang_all();
    let hanging = actix_web::rt::spawn(reqwest::get(format!("http://{}/persons", app.addr)));
    while app.metric("beetroot_http_in_flight") == 0 {
        tokio::task::yield_now().await;
    }
    app.begin_shutdown();
    app.ended().await;
    assert!(hanging.await.unwrap().is_err(), "the connection was cut");
}
