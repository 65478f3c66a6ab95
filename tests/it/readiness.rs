//! What load balancers and monitoring ask.

use aws_credential_types::provider::SharedCredentialsProvider;

use super::test_app::{TestApp, emulator_credentials};

#[actix_web::test]
async fn a_service_with_credentials_is_alive_and_ready() {
    let app = TestApp::start().await;
    app.get("/healthz").await.ok();
    app.get("/readyz").await.ok();
    assert_eq!(app.dynamodb().calls_total(), 0, "a health check costs no reads");
}

#[actix_web::test]
async fn without_credentials_it_is_alive_and_not_ready() {
    let app = TestApp::start_with(|wishes| {
        let expired = emulator_credentials(Some(wishes.clock.now()));
        wishes.credentials = SharedCredentialsProvider::new(expired);
    })
    .await;
    app.get("/healthz").await.ok();
    assert_eq!(app.get("/readyz").await.assert_error(503), "no credentials");
}

#[actix_web::test]
async fn metrics_are_openmetrics_with_help_from_the_code() {
    let app = TestApp::start().await;
    app.get("/persons").await.ok();
    app.get("/nothing/with/a/secret").await.assert_error(404);
    let answer = app.get("/metrics").await;
    answer.assert_header("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("# HELP beetroot_http_requests Requests answered.\n"), "{text}");
    assert!(
        text.contains(r#"beetroot_http_requests_total{route="/persons",method="GET",status="200"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"beetroot_http_requests_total{route="other",method="GET",status="404"} 1"#),
        "{text}"
    );
    assert!(text.contains(r#"beetroot_dynamodb_calls_total{operation="Scan",outcome="ok"} 1"#), "{text}");
    let units = text
        .lines()
        .find_map(|line| line.strip_prefix(r#"beetroot_dynamodb_capacity_units_total{operation="Scan"} "#));
    assert!(units.unwrap_or_else(|| panic!("{text}")).parse::<f64>().unwrap() > 0.0, "{text}");
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("secret"), "a path is no label: {text}");
}
