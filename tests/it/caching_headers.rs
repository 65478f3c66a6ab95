//! `ETag`, `If-None-Match`, `Accept-Encoding` and what follows from them.

use std::io::Read;

use beetroot_api::config::AllowedOrigins;
use reqwest::Method;
use serde_json::Value;

use super::answer::Answer;
use super::rows::{located, person, row, s};
use super::test_app::TestApp;

const CODINGS: [&str; 4] = ["identity", "gzip", "br", "zstd"];

async fn start_with_persons() -> TestApp {
    let app = TestApp::start().await;
    app.put_persons((0..20).map(|number| person(&format!("p{number:02}"), "1"))).await;
    app
}

async fn get(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    app.request(Method::GET, "/persons", headers).await
}

fn decode(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        None => plain.extend_from_slice(&answer.body),
        Some("gzip") => {
            flate2::read::GzDecoder::new(&*answer.body).read_to_end(&mut plain).unwrap();
        }
        Some("br") => {
            brotli::Decompressor::new(&*answer.body, 4096).read_to_end(&mut plain).unwrap();
        }
        Some("zstd") => plain = zstd::stream::decode_all(&*answer.body).unwrap(),
        Some(other) => panic!("{other}: {answer}"),
    }
    plain
}

#[actix_web::test]
async fn every_coding_is_the_same_json_with_its_own_strong_tag() {
    let app = start_with_persons().await;
    let plain = get(&app, &[]).await;
    let mut tags = Vec::new();
    for coding in CODINGS {
        let answer = get(&app, &[("accept-encoding", coding)]).await;
        answer.assert_status(200).assert_header("vary", "accept-encoding");
        answer.assert_header("content-type", "application/json");
        answer.assert_header("cache-control", "private, no-cache");
        assert_eq!(answer.header("content-encoding"), (coding != "identity").then_some(coding));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(decode(&answer), plain.body, "{coding}");
        if coding != "identity" {
            assert!(answer.body.len() * 4 < plain.body.len(), "{coding}: {} bytes", answer.body.len());
        }
        tags.push(answer.header("etag").unwrap().to_owned());
    }
    assert_eq!(plain.header("etag"), Some(tags[0].as_str()));
    assert!(tags.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')), "{tags:?}");
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
}

#[actix_web::test]
async fn a_body_is_compressed_once_for_all_who_want_it() {
    let app = TestApp::start().await;
    // without pictures, whose URLs would be renewed one by one
    app.put_persons((0..20).map(|number| row([("personId", s(format!("p{number:02}")))]))).await;
    for _ in 0..3 {
        for coding in CODINGS {
            get(&app, &[("accept-encoding", coding)]).await.assert_status(200);
        }
        // made anew, it is the same content with the same bodies
        app.let_answers_expire();
    }
    assert_eq!(app.dynamodb().calls("Scan"), 3);
    for coding in ["gzip", "br", "zstd"] {
        assert_eq!(
            app.metric(&format!(r#"beetroot_answer_compressions_total{{coding="{coding}"}}"#)),
            1,
            "{coding}"
        );
    }
    assert_eq!(app.metric(r#"beetroot_answer_refills_total{outcome="unchanged"}"#), 2);
}

#[actix_web::test]
async fn a_small_body_is_not_compressed() {
    let app = TestApp::start().await;
    let answer = get(&app, &[("accept-encoding", "gzip, deflate, br, zstd")]).await;
    assert_eq!(answer.ok(), serde_json::json!({"persons": []}));
    assert_eq!(answer.header("content-encoding"), None);
    answer.assert_header("vary", "accept-encoding");
}

#[actix_web::test]
async fn the_client_chooses_the_coding() {
    let app = start_with_persons().await;
    for (accepted, coding) in [
        ("gzip, deflate, br, zstd", Some("zstd")),
        ("gzip, deflate, br", Some("br")),
        ("gzip;q=1.0, br;q=0.9", Some("gzip")),
        ("deflate", None),
        ("*;q=0", None),
        ("identity;q=0, *", Some("zstd")),
    ] {
        let answer = get(&app, &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.assert_status(200).header("content-encoding"), coding, "{accepted}");
    }
}

#[actix_web::test]
async fn a_client_that_has_the_bytes_gets_304_without_a_body() {
    let app = start_with_persons().await;
    for coding in CODINGS {
        let full = get(&app, &[("accept-encoding", coding)]).await;
        let tag = full.header("etag").unwrap();
        for (known, named) in [
            (tag.to_owned(), tag),
            (format!("W/{tag}"), tag),
            (format!("\"another\", {tag}"), tag),
            (format!("W/\"x\",{tag} , \"y\""), tag),
            ("*".to_owned(), tag),
        ] {
            // whatever it would accept now: it has the content
            for accepted in [coding, "gzip", "identity"] {
                if known == "*" && accepted != coding {
                    continue;
                }
                let headers = [("accept-encoding", accepted), ("if-none-match", known.as_str())];
                let answer = get(&app, &headers).await;
                assert_eq!(answer.assert_status(304).body, b"", "{answer}");
                answer.assert_header("etag", named).assert_header("vary", "accept-encoding");
                answer.assert_header("cache-control", "private, no-cache");
                answer.assert_header("x-content-type-options", "nosniff");
                answer.assert_header("referrer-policy", "no-referrer");
                answer.assert_header("access-control-allow-origin", "*");
                assert!(answer.header("x-request-id").is_some() && answer.header("content-length").is_none());
            }
        }
    }
    assert_eq!(app.dynamodb().calls("Scan"), 1);
}

#[actix_web::test]
async fn other_tags_are_no_reason_for_a_304() {
    let app = start_with_persons().await;
    let tag = get(&app, &[]).await.header("etag").unwrap().to_owned();
    let bare = tag.trim_matches('"');
    for known in [
        "\"0123456789abcdef0123456789abcdef\"",
        "\"\"",
        "",
        ",",
        bare,
        &format!("\"{bare}-deflate\""),
        &format!("\"{bare}"),
        &format!("\"x{bare}\""),
    ] {
        get(&app, &[("if-none-match", known)]).await.assert_status(200);
    }
}

#[actix_web::test]
async fn content_that_changed_is_sent_with_another_tag() {
    let app = start_with_persons().await;
    let old = get(&app, &[]).await;
    app.put_persons([person("new", "9")]).await;
    app.let_answers_expire();

    let new = get(&app, &[("if-none-match", old.header("etag").unwrap())]).await;

    assert_eq!(new.ok()["persons"][0]["personId"], "new");
    assert_ne!(new.header("etag"), old.header("etag"));
}

#[actix_web::test]
async fn the_same_content_has_the_same_tags_on_every_instance() {
    let first = start_with_persons().await;
    let endpoint = first.emulators().s3_endpoint();
    let second = TestApp::start_with(|wishes| {
        wishes.settings.aws.s3_endpoint = Some(endpoint);
        wishes.clock = first.clock.clone();
    })
    .await;
    second.put_persons((0..20).map(|number| person(&format!("p{number:02}"), "1"))).await;
    for coding in CODINGS {
        let headers = [("accept-encoding", coding)];
        let tag = get(&first, &headers).await.header("etag").unwrap().to_owned();
        get(&second, &headers).await.assert_status(200).assert_header("etag", &tag);
        get(&second, &[("if-none-match", &tag)]).await.assert_status(304);
    }
}

#[actix_web::test]
async fn head_says_what_get_would_send() {
    let app = start_with_persons().await;
    app.put_occurrences([located("anna", "1", "p")]).await;
    for path in ["/persons", "/persons/anna/photos"] {
        for coding in CODINGS {
            let headers = [("accept-encoding", coding)];
            let get = app.request(Method::GET, path, &headers).await;
            let head = app.request(Method::HEAD, path, &headers).await;
            assert_eq!((head.status, head.body.len()), (200, 0), "{head}");
            for name in
                ["content-length", "content-encoding", "content-type", "etag", "vary", "cache-control"]
            {
                assert_eq!(head.header(name), get.header(name), "{name} of {head}");
            }
            let tag = get.header("etag").unwrap();
            app.request(Method::HEAD, path, &[("if-none-match", tag)]).await.assert_status(304);
        }
    }
}

#[actix_web::test]
async fn answers_vary_by_origin_too_when_origins_are_listed() {
    const PAGE: &str = "https://photos.example";
    let app = TestApp::start_with(|wishes| {
        wishes.settings.cors.allowed_origins = AllowedOrigins::List(vec![PAGE.into()]);
    })
    .await;
    let tag = get(&app, &[]).await.header("etag").unwrap().to_owned();
    for known in ["\"other\"", &tag] {
        let answer = get(&app, &[("origin", PAGE), ("if-none-match", known)]).await;
        answer.assert_header("access-control-allow-origin", PAGE);
        let all: Vec<_> =
            answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        let all = all.join(",").to_lowercase();
        assert!(all.contains("accept-encoding") && all.contains("origin"), "{all}");
    }
}

#[actix_web::test]
async fn errors_have_no_tag_and_are_not_compressed() {
    let app = TestApp::start().await;
    let answer = app
        .request(Method::GET, "/persons?limit=0", &[("accept-encoding", "gzip"), ("if-none-match", "*")])
        .await;
    answer.assert_error(400);
    assert_eq!((answer.header("etag"), answer.header("content-encoding")), (None, None));
    let body: Value = answer.json();
    assert!(body["error"].is_string());
}
