//! What a browser lets pages of other origins do.

use beetroot_api::config::AllowedOrigins;
use reqwest::Method;
use serde_json::json;

use super::test_app::TestApp;

const PAGE: &str = "https://photos.example";

#[actix_web::test]
async fn by_default_every_page_may_read_answers_and_errors() {
    let app = TestApp::start().await;
    for (path, status) in [
        ("/persons", 200),
        ("/persons/a/photos", 200),
        ("/nothing", 404),
        ("/persons//photos", 400),
        ("/persons?limit=0", 400),
    ] {
        app.request(Method::GET, path, &[("origin", PAGE)])
            .await
            .assert_status(status)
            .assert_header("access-control-allow-origin", "*");
        app.get(path).await.assert_header("access-control-allow-origin", "*");
    }
}

#[actix_web::test]
async fn a_preflight_gets_ok_true_and_what_it_asked_for() {
    let app = TestApp::start().await;
    for path in ["/persons", "/persons/a/photos", "/nothing"] {
        let answer = app
            .request(
                Method::OPTIONS,
                path,
                &[
                    ("origin", PAGE),
                    ("access-control-request-method", "GET"),
                    ("access-control-request-headers", "content-type"),
                ],
            )
            .await;
        assert_eq!(answer.ok(), json!({"ok": true}));
        answer.assert_header("access-control-allow-origin", "*");
        let list = |name: &str| {
            let mut words: Vec<_> =
                answer.header(name).unwrap().split(',').map(|word| word.trim().to_lowercase()).collect();
            words.sort();
            words
        };
        assert_eq!(list("access-control-allow-methods"), ["get", "head", "options"]);
        assert_eq!(list("access-control-allow-headers"), ["content-type"]);
    }
}

#[actix_web::test]
async fn a_preflight_for_what_is_not_offered_gets_ok_true_and_no_permission() {
    let app = TestApp::start().await;
    for asked in [("access-control-request-method", "DELETE"), ("access-control-request-headers", "x-secret")]
    {
        let mut headers = vec![("origin", PAGE), ("access-control-request-method", "GET")];
        headers.retain(|(name, _)| *name != asked.0);
        headers.push(asked);
        let answer = app.request(Method::OPTIONS, "/persons", &headers).await;
        assert_eq!(answer.ok(), json!({"ok": true}));
        assert_eq!(answer.header("access-control-allow-methods"), None, "{asked:?}: {answer}");
        assert_eq!(answer.header("access-control-allow-headers"), None, "{asked:?}: {answer}");
    }
}

#[actix_web::test]
async fn a_configured_origin_is_named_and_others_get_nothing() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.cors.allowed_origins =
            AllowedOrigins::List(vec![PAGE.into(), "http://localhost:3000".into()]);
    })
    .await;
    for origin in [PAGE, "http://localhost:3000"] {
        let answer = app.request(Method::GET, "/persons", &[("origin", origin)]).await;
        answer.assert_status(200).assert_header("access-control-allow-origin", origin);
        assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"), "{answer}");
    }
    for origin in ["https://evil.example", "null", "https://photos.example.evil.example"] {
        let answer = app.request(Method::GET, "/persons", &[("origin", origin)]).await;
        assert_eq!(answer.assert_status(200).header("access-control-allow-origin"), None, "{answer}");
        let preflight = [("origin", origin), ("access-control-request-method", "GET")];
        let answer = app.request(Method::OPTIONS, "/persons", &preflight).await;
        assert_eq!(answer.ok(), json!({"ok": true}));
        assert_eq!(answer.header("access-control-allow-origin"), None, "{answer}");
    }
    assert_eq!(app.get("/persons").await.assert_status(200).header("access-control-allow-origin"), None);
}
