//! Everything that is not one of the two answers.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::rows::{located, person, unlocated};
use super::test_app::TestApp;

#[actix_web::test]
async fn a_photos_path_without_exactly_one_segment_is_400_bad_path() {
    let app = TestApp::start().await;
    for path in [
        "/persons/photos",
        "/persons//photos",
        "/persons/a/b/photos",
        "/persons/a//photos",
        "/persons///photos",
        "/persons/photos/photos/photos",
    ] {
        assert_eq!(app.get(path).await.assert_error(400), "bad path", "{path}");
    }
}

#[actix_web::test]
async fn any_other_unknown_path_is_404_and_says_which() {
    let app = TestApp::start().await;
    for path in [
        "/",
        "/nothing",
        "/persons/",
        "/persons/a",
        "/persons/a/photos/",
        "//persons",
        "/Persons",
        "/a%20b",
        "/x?y=z",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.assert_error(404), "not found", "{path}");
        assert_eq!(answer.json()["path"], path.split('?').next().unwrap());
    }
}

#[actix_web::test]
async fn another_method_on_a_known_path_is_405_with_allow() {
    let app = TestApp::start().await;
    for path in ["/persons", "/persons/a/photos", "/healthz", "/readyz", "/metrics"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
            let answer = app.request(Method::from_bytes(method.as_bytes()).unwrap(), path, &[]).await;
            assert_eq!(answer.assert_error(405), "method not allowed", "{method} {path}");
            answer.assert_header("allow", "GET, HEAD, OPTIONS");
            assert_eq!(answer.json()["path"], path);
        }
    }
    let answer = app.request(Method::POST, "/persons//photos", &[]).await;
    assert_eq!(answer.assert_error(400), "bad path", "a path that is not known has no methods");
}

#[actix_web::test]
async fn head_answers_as_get_without_a_body() {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    app.put_occurrences([located("anna", "1", "p")]).await;
    for path in [
        "/persons",
        "/persons/anna/photos",
        "/nothing",
        "/persons//photos",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        let get = app.get(path).await;
        let head =
            app.request(Method::HEAD, path, &[("x-request-id", get.header("x-request-id").unwrap())]).await;
        assert_eq!(head.status, get.status, "{head}");
        assert!(head.body.is_empty(), "{head}");
        for name in
            ["content-type", "cache-control", "x-content-type-options", "referrer-policy", "x-request-id"]
        {
            assert_eq!(head.header(name), get.header(name), "{name} of {head}");
        }
        if path != "/metrics" {
            assert_eq!(head.header("content-length"), get.header("content-length"), "{head}");
        }
    }
}

#[actix_web::test]
async fn a_bad_limit_is_400_and_says_what_is_accepted() {
    let app = TestApp::start().await;
    for (path, most) in [("/persons", 500), ("/persons/a/photos", 1000)] {
        for limit in
            ["0", "-1", "1.5", "abc", "", "+5", "%201", "99999999999999999999999", &(most + 1).to_string()]
        {
            let text = app.get(&format!("{path}?limit={limit}")).await.assert_error(400);
            assert!(
                text.starts_with("limit: found ") && text.ends_with(&format!("from 1 to {most}")),
                "{text}"
            );
        }
        let text = app.get(&format!("{path}?limit=1&limit=2")).await.assert_error(400);
        assert!(text.contains("limit") && text.contains("once"), "{text}");
    }
}

#[actix_web::test]
async fn a_cursor_that_is_forged_changed_or_of_another_list_is_400() {
    let app = TestApp::start().await;
    app.put_persons([person("a", "2"), person("b", "1")]).await;
    app.put_occurrences(
        ["anna", "ben"].iter().flat_map(|name| ["1", "2"].map(|number| located(name, number, "p"))),
    )
    .await;
    let cursor_of = async |path: &str| app.get(path).await.ok()["nextCursor"].as_str().unwrap().to_owned();
    let of_persons = cursor_of("/persons?limit=1").await;
    let of_anna = cursor_of("/persons/anna/photos?limit=1").await;
    let of_ben = cursor_of("/persons/ben/photos?limit=1").await;
    let changed = format!("{}A", &of_anna[..of_anna.len() - 1]);
    let longer = format!("{of_anna}AAAA");

    for (path, cursor) in [
        ("/persons", of_anna.as_str()),
        ("/persons/anna/photos", &of_persons),
        ("/persons/anna/photos", &of_ben),
        ("/persons/anna/photos", &changed),
        ("/persons/anna/photos", &longer),
        ("/persons", "e30"),
        ("/persons", "%FF%00"),
        ("/persons", ""),
        ("/persons/anna/photos", "null"),
    ] {
        let text = app.get(&format!("{path}?cursor={cursor}")).await.assert_error(400);
        assert!(text.starts_with("cursor: accepted is the nextCursor"), "{text}");
    }
    assert_eq!(app.dynamodb().calls("Query") + app.dynamodb().calls("Scan"), 3, "bad cursors reach no table");
    assert_eq!(app.get(&format!("/persons/anna/photos?cursor={of_anna}")).await.status, 200);
}

#[actix_web::test]
async fn a_cursor_of_a_table_with_another_key_is_400() {
    let first = TestApp::start().await;
    first.put_occurrences(["1", "2"].map(|number| located("anna", number, "p"))).await;
    let page = first.get("/persons/anna/photos?limit=1").await.ok();
    let cursor = page["nextCursor"].as_str().unwrap();
    let second = TestApp::start_with(|wishes| {
        wishes.sort_key = ("other", aws_sdk_dynamodb::types::ScalarAttributeType::S);
    })
    .await;

    let text = second.get(&format!("/persons/anna/photos?cursor={cursor}")).await.assert_error(400);

    assert!(text.starts_with("cursor:"), "{text}");
}

#[actix_web::test]
async fn an_operators_cursor_key_makes_other_cursors_foreign() {
    let theirs = TestApp::start_with(|wishes| wishes.settings.seal.key = "a key of an operator".into()).await;
    let built_in = TestApp::start().await;
    for app in [&theirs, &built_in] {
        app.put_persons([person("a", "2"), person("b", "1")]).await;
    }
    let page = built_in.get("/persons?limit=1").await.ok();
    let cursor = page["nextCursor"].as_str().unwrap();
    theirs.get(&format!("/persons?cursor={cursor}")).await.assert_error(400);
    built_in.get(&format!("/persons?cursor={cursor}")).await.ok();
}

#[actix_web::test]
async fn a_person_id_that_nobody_can_have_is_400() {
    let app = TestApp::start().await;
    for (segment, accepted) in [
        ("%00", "control characters"),
        ("a%0Ab", "control characters"),
        ("a%7F", "control characters"),
        ("%FF", "UTF-8"),
        ("%C3", "UTF-8"),
        (&"a".repeat(2049), "1 to 2048"),
        (&"%C3%AB".repeat(1025), "1 to 2048"),
    ] {
        let text = app.get(&format!("/persons/{segment}/photos")).await.assert_error(400);
        assert!(text.starts_with("personId: ") && text.contains(accepted), "{text}");
    }
    app.get(&format!("/persons/{}/photos", "a".repeat(2048))).await.ok();
}

#[actix_web::test]
async fn options_on_any_path_is_200_ok_true() {
    let app = TestApp::start().await;
    for path in ["/persons", "/persons/a/photos", "/", "/nothing", "/persons//photos", "/metrics"] {
        let answer = app.request(Method::OPTIONS, path, &[]).await;
        assert_eq!(answer.ok(), json!({"ok": true}), "{path}");
        assert!(answer.header("x-request-id").is_some());
    }
    assert!(app.raw("OPTIONS * HTTP/1.1").await.starts_with("HTTP/1.1 200"));
}

type Inflict = fn(&TestApp);

#[actix_web::test]
async fn every_fault_of_dynamodb_is_503_with_retry_after_and_names_no_internals() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.dynamodb.attempt_timeout = Duration::from_millis(200);
        wishes.settings.dynamodb.operation_timeout = Duration::from_secs(4);
        wishes.settings.dynamodb.max_attempts = 2;
        // no answer of a good moment hides the fault
        wishes.settings.lists.fresh = Duration::ZERO;
    })
    .await;
    app.put_occurrences([unlocated("anna", "1", "p")]).await;
    let faults: [(&str, &str, Inflict); 4] = [
        ("throttled", "throttled", |app| app.dynamodb().throttle_all()),
        ("failing", "unavailable", |app| app.dynamodb().fail_all()),
        ("denied", "unavailable", |app| app.dynamodb().deny_all()),
        ("hanging", "timeout", |app| app.dynamodb().hang_all()),
    ];
    for (name, outcome, inflict) in faults {
        inflict(&app);
        for (path, operation) in [("/persons", "Scan"), ("/persons/anna/photos", "Query")] {
            let answer = app.get(path).await;
            let text = answer.assert_error(503);
            answer.assert_header("retry-after", "1");
            assert_eq!(text, "temporarily unavailable, try again soon", "{name}");
            let line =
                format!(r#"beetroot_dynamodb_calls_total{{operation="{operation}",outcome="{outcome}"}}"#);
            assert!(app.metric(&line) >= 1, "{name}: {line}\n{}", app.metrics.render().unwrap());
        }
        app.dynamodb().heal();
        app.get("/persons").await.ok();
    }
}

#[actix_web::test]
async fn a_short_throttling_is_retried_and_nobody_notices() {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    app.dynamodb().throttle_next(2);
    app.get("/persons").await.ok();
    assert_eq!(app.dynamodb().calls("Scan"), 3);
}

#[actix_web::test]
async fn dynamodb_that_is_gone_is_503() {
    let app = TestApp::start_with(|wishes| {
        // a port that nobody listens on: bound once, then given back
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        wishes.settings.aws.dynamodb_endpoint = Some(format!("http://{free}"));
    })
    .await;
    app.get("/persons").await.assert_error(503);
}

#[actix_web::test]
async fn a_harmless_request_id_is_taken_over_and_another_one_replaced() {
    let app = TestApp::start().await;
    for given in ["abc-123", "Root=1-67891233-abcdef012345678912345678", &"x".repeat(128)] {
        app.request(Method::GET, "/persons", &[("x-request-id", given)])
            .await
            .assert_header("x-request-id", given);
    }
    for given in ["", "a b", "<script>", "\"", &"x".repeat(129)] {
        let answer = app.request(Method::GET, "/nothing", &[("x-request-id", given)]).await;
        answer.assert_error(404);
        let id = answer.header("x-request-id").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
    let first = app.get("/persons").await;
    let second = app.get("/persons").await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}
