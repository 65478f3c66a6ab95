//! Signed URLs as a browser uses them.

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use beetroot_api::clock::Clock;
use beetroot_api::config::AllowedPrefix;
use beetroot_api::domain::AllowList;
use beetroot_api::urls::Schedule;
use jiff::Timestamp;
use reqwest::Method;

use super::rows::{located, n, person, row, s};
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, TestApp, emulator_credentials};

/// When a signed URL ends, read from the URL itself.
pub fn end_of(url: &str) -> Timestamp {
    let value = |name: &str| {
        url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap()
    };
    let signed_at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", value("X-Amz-Date")).unwrap();
    let signed_at = signed_at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    signed_at + Duration::from_secs(value("X-Amz-Expires").parse().unwrap())
}

fn lifetime_of(url: &str) -> u64 {
    url.split(['?', '&']).find_map(|pair| pair.strip_prefix("X-Amz-Expires=")).unwrap().parse().unwrap()
}

async fn thumb_url(app: &TestApp) -> String {
    let answer = app.get("/persons").await.ok();
    answer["persons"][0]["repThumbURL"].as_str().unwrap().to_owned()
}

async fn start_with_a_thumb(change: impl FnOnce(&mut super::test_app::Wishes)) -> TestApp {
    let app = TestApp::start_with(change).await;
    app.put_persons([person("anna", "1")]).await;
    app.put_object(THUMBS_BUCKET, "faces-thumbs/anna.jpg", b"a face").await;
    app
}

#[actix_web::test]
async fn keys_of_every_legal_form_are_fetched_by_their_urls() {
    let app = TestApp::start().await;
    let long = format!("long/{}", "ä/ö".repeat(203));
    assert_eq!(long.len(), 1020);
    let keys = [
        "plain.jpg",
        "with space.jpg",
        "plus+plus.jpg",
        "50%.jpg",
        "%20.jpg",
        "%2e%2e/x.jpg",
        "what?.jpg",
        "a#b.jpg",
        "a//b///c.jpg",
        "/leading.jpg",
        "trailing/",
        "ünïcödé/日本/🥕.jpg",
        "a&b=c;d,e:f@g.jpg",
        "(a)[b]{c}!'*$^`|\\<>\"~.jpg",
        "a..b/...jpg",
        "tab\tand\nline",
        &long,
    ];
    for (number, key) in keys.iter().enumerate() {
        app.put_object(RAW_BUCKET, key, key.as_bytes()).await;
        let mut occurrence = located("anna", &format!("{number:02}"), "p");
        occurrence.insert("photoKey".into(), s(*key));
        app.put_occurrences([occurrence]).await;
    }

    let answer = app.get("/persons/anna/photos").await.ok();

    for (number, key) in keys.iter().enumerate() {
        let photo = &answer["photos"][number];
        assert_eq!(photo["photoKey"], *key);
        let picture = app.fetch(Method::GET, photo["photoURL"].as_str().unwrap(), &[]).await;
        assert_eq!(picture.assert_status(200).body, key.as_bytes(), "{key}");
    }
}

#[actix_web::test]
async fn a_url_is_refused_after_its_end_and_when_a_character_is_changed() {
    let app = start_with_a_thumb(|_| {}).await;
    let url = thumb_url(&app).await;
    app.fetch(Method::GET, &url, &[]).await.assert_status(200);

    for (from, to) in [
        ("faces-thumbs/anna", "faces-thumbs/annb"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=3601"),
        ("X-Amz-Date=2", "X-Amz-Date=3"),
        ("immutable", "immutablf"),
        ("/thumbs/", "/raw/"),
    ] {
        assert!(url.contains(from), "{from}");
        let answer = app.fetch(Method::GET, &url.replace(from, to), &[]).await;
        assert!((400..500).contains(&answer.status), "{from}: {answer}");
    }
    let place = url.find("X-Amz-Signature=").unwrap() + "X-Amz-Signature=".len();
    let mut forged = url.clone();
    forged.replace_range(place..=place, if &url[place..=place] == "0" { "1" } else { "0" });
    app.fetch(Method::GET, &forged, &[]).await.assert_status(403);

    // signed by a service whose clock is two hours behind, it has expired
    let late = start_with_a_thumb(|wishes| {
        wishes.clock = Clock::manual(wishes.clock.now() - Duration::from_secs(7200));
    })
    .await;
    let expired = thumb_url(&late).await;
    late.fetch(Method::GET, &expired, &[]).await.assert_status(403);
}

#[actix_web::test]
async fn a_reload_gets_the_same_url_until_its_window_ends_with_the_margin_left() {
    let app = start_with_a_thumb(|_| {}).await;
    let (margin, minute) = (300, 60);
    let mut urls = vec![thumb_url(&app).await];
    for _ in 0..24 * 60 {
        let url = thumb_url(&app).await;
        let left = end_of(&url).as_second() - app.clock.now().as_second();
        assert!(left > margin && left <= 3600, "{left} s left");
        if Some(&url) != urls.last() {
            urls.push(url);
        }
        app.clock.advance(Duration::from_secs(minute));
    }
    // a day has 26.2 times 55 minutes, of which the jitter takes up to a tenth
    assert!((26..=30).contains(&urls.len()), "{}", urls.len());
}

/// Moves the clock to a minute in which no window of these thumbnails begins.
pub fn await_a_quiet_minute(clock: &Clock, names: &[&str]) {
    let schedule = Schedule::new(Duration::from_secs(3600), Duration::from_secs(300));
    let is_quiet = |name: &&str| {
        let object = AllowList::default().object(THUMBS_BUCKET, &format!("faces-thumbs/{name}.jpg")).unwrap();
        let now = clock.now();
        schedule.window_start(&object, now) == schedule.window_start(&object, now + Duration::from_secs(60))
    };
    while !names.iter().all(is_quiet) {
        clock.advance(Duration::from_secs(60));
    }
}

#[actix_web::test]
async fn instances_with_the_same_credentials_give_the_same_url_without_talking() {
    let first = start_with_a_thumb(|_| {}).await;
    await_a_quiet_minute(&first.clock, &["anna"]);
    let url = thumb_url(&first).await;
    for _ in 0..3 {
        first.clock.advance(Duration::from_secs(20));
        let endpoint = first.emulators().s3_endpoint();
        let later = start_with_a_thumb(|wishes| {
            wishes.settings.aws.s3_endpoint = Some(endpoint);
            wishes.clock = first.clock.clone();
        })
        .await;
        assert_eq!(thumb_url(&later).await, url);
    }
}

#[actix_web::test]
async fn a_url_never_outlives_its_credentials() {
    let mut end = Timestamp::UNIX_EPOCH;
    let app = start_with_a_thumb(|wishes| {
        end = wishes.clock.now() + Duration::from_secs(100);
        wishes.credentials = SharedCredentialsProvider::new(emulator_credentials(Some(end)));
    })
    .await;
    let answer = app.get("/persons").await.ok();
    let url = answer["persons"][0]["repThumbURL"].as_str().unwrap();
    assert_eq!(end_of(url).as_second(), end.as_second());
    assert_eq!(
        answer["expiresAt"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second(),
        end.as_second()
    );
    app.fetch(Method::GET, url, &[]).await.assert_status(200);

    app.clock.advance(Duration::from_secs(99));
    app.get("/persons").await.ok();
    app.clock.advance(Duration::from_secs(1));
    app.get("/persons").await.assert_error(503);
    app.get("/readyz").await.assert_error(503);
}

#[actix_web::test]
async fn without_credentials_lists_without_pictures_are_still_answered() {
    let app = TestApp::start_with(|wishes| {
        wishes.credentials = SharedCredentialsProvider::new(emulator_credentials(Some(wishes.clock.now())));
    })
    .await;
    app.put_persons([row([("personId", s("nobody")), ("photoCount", n("1"))])]).await;
    app.get("/persons").await.ok();
}

#[actix_web::test]
async fn the_life_of_a_url_and_its_cache_control_are_settings() {
    let app = start_with_a_thumb(|wishes| {
        wishes.settings.presign.expires = Duration::from_secs(604_800);
        wishes.settings.presign.response_cache_control = "public, max-age={expires}".into();
    })
    .await;
    let url = thumb_url(&app).await;
    assert_eq!(lifetime_of(&url), 604_800);
    app.fetch(Method::GET, &url, &[])
        .await
        .assert_status(200)
        .assert_header("cache-control", "public, max-age=604800");

    let off =
        start_with_a_thumb(|wishes| wishes.settings.presign.response_cache_control = String::new()).await;
    let url = thumb_url(&off).await;
    assert!(!url.contains("response-cache-control"), "{url}");
    off.fetch(Method::GET, &url, &[]).await.assert_status(200);
}

#[actix_web::test]
async fn the_public_endpoint_is_the_one_in_the_urls() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.aws.s3_public_endpoint = Some("https://pictures.example:8443/s3".into());
    })
    .await;
    app.put_persons([person("anna", "1")]).await;
    let url = thumb_url(&app).await;
    assert!(url.starts_with("https://pictures.example:8443/s3/thumbs/faces-thumbs/anna.jpg?"), "{url}");
}

#[actix_web::test]
async fn keys_that_browsers_fold_get_no_url_and_are_counted() {
    let app = TestApp::start().await;
    let rows = ["../secret", "a/./b", "a/../b", "a/..", "..", "."].iter().enumerate().map(|(number, key)| {
        let mut row = located("anna", &number.to_string(), "p");
        row.insert("photoKey".into(), s(*key));
        row.remove("thumbKey");
        row
    });
    app.put_occurrences(rows).await;
    let answer = app.get("/persons/anna/photos").await.ok();
    for photo in answer["photos"].as_array().unwrap() {
        assert!(photo["photoURL"].is_null(), "{photo}");
        assert!(photo["photoKey"].is_string(), "{photo}");
    }
    assert_eq!(app.metric(r#"beetroot_urls_refused_total{reason="dot_segment"}"#), 6);
    assert!(answer.get("expiresAt").is_none());
}

#[actix_web::test]
async fn a_row_cannot_make_it_sign_for_another_host_or_outside_of_the_allow_list() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.presign.allow = vec![
            AllowedPrefix { bucket: "raw".into(), prefix: "photos-raw/".into() },
            AllowedPrefix { bucket: "thumbs".into(), prefix: String::new() },
        ];
    })
    .await;
    for (number, (bucket, key)) in [
        ("raw", "photos-raw/1.jpg"),
        ("raw", "private/1.jpg"),
        ("other", "photos-raw/1.jpg"),
        ("evil.example/", "x"),
        ("a@evil", "x"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut row = located("anna", &number.to_string(), "p");
        row.insert("photoBucket".into(), s(bucket));
        row.insert("photoKey".into(), s(key));
        app.put_occurrences([row]).await;
    }
    let answer = app.get("/persons/anna/photos").await.ok();
    let signed: Vec<_> =
        answer["photos"].as_array().unwrap().iter().map(|photo| photo["photoURL"].is_string()).collect();
    assert_eq!(signed, [true, false, false, false, false]);
    assert_eq!(app.metric(r#"beetroot_urls_refused_total{reason="not_allowed"}"#), 2);
    assert_eq!(app.metric(r#"beetroot_urls_refused_total{reason="bucket_name"}"#), 2);
}
