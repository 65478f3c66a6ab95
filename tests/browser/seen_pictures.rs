//! What is downloaded again of pictures that a browser has seen: nothing, as the emulated S3 counts it.

use beetroot_api::config::RedisUrl;

use super::album::{self, page_of};
use super::driver::{Chromium, Tab};
use super::pictures::all_shown;
use super::redis_server::RedisServer;
use super::signing_anew;
use super::test_app::TestApp;

/// Of the sample's persons; one has no thumbnail.
const THUMBS: usize = 23;
/// Of the first person.
const PHOTOS: usize = 24;

/// What one look at pictures cost.
struct Visit {
    what: &'static str,
    shown: usize,
    requests: u64,
    bytes: u64,
}

impl Visit {
    fn assert_downloads(&self, requests: usize) {
        assert_eq!(usize::try_from(self.requests).unwrap(), requests, "{}", self.what);
        assert_eq!(self.bytes > 0, requests > 0, "{}: {} bytes", self.what, self.bytes);
    }
}

impl std::fmt::Display for Visit {
    fn fmt(&self, line: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(line, "| {} | {} | {} | {} |", self.what, self.shown, self.requests, self.bytes)
    }
}

/// Counts what S3 is asked for until so many pictures are shown.
async fn visit(
    app: &TestApp,
    what: &'static str,
    tab: &Tab,
    shown: usize,
    look: impl Future<Output = ()>,
) -> Visit {
    app.s3().reset_counts();
    look.await;
    all_shown(tab, shown).await;
    Visit { what, shown, requests: app.s3().gets(), bytes: app.s3().bytes_sent() }
}

async fn open_first_person(tab: &Tab) {
    tab.click(".view:not([hidden]) .tile a").await;
    all_shown(tab, PHOTOS).await;
}

#[actix_web::test]
async fn a_reload_downloads_no_picture_again() {
    let app = album::sampled(|_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;

    let first = visit(&app, "first load", &tab, THUMBS, tab.go_to(&page_of(&app))).await;
    let reload = visit(&app, "reload", &tab, THUMBS, tab.reload()).await;

    first.assert_downloads(THUMBS);
    reload.assert_downloads(0);
}

#[actix_web::test]
async fn a_new_tab_downloads_no_picture_again() {
    let app = album::sampled(|_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    tab.go_to(&page_of(&app)).await;
    all_shown(&tab, THUMBS).await;
    tab.close().await;

    let tab = browser.tab().await;
    visit(&app, "new tab", &tab, THUMBS, tab.go_to(&page_of(&app))).await.assert_downloads(0);
}

#[actix_web::test]
async fn coming_back_from_a_person_downloads_no_picture_again() {
    let app = album::sampled(|_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    tab.go_to(&page_of(&app)).await;
    all_shown(&tab, THUMBS).await;
    open_first_person(&tab).await;

    visit(&app, "back", &tab, THUMBS, tab.back()).await.assert_downloads(0);
    open_first_person(&tab).await;
    // now the page has forgotten what it showed, and only the browser's cache knows
    visit(&app, "the person's photos after a reload", &tab, PHOTOS, tab.reload()).await.assert_downloads(0);
    visit(&app, "back after a reload", &tab, THUMBS, tab.back()).await.assert_downloads(0);
}

#[actix_web::test]
async fn urls_that_are_signed_anew_make_a_reload_download_everything_again() {
    let app = album::sampled(|_| {}).await;
    let before = signing_anew::in_front_of(&app);
    let browser = Chromium::start().await;
    let tab = browser.tab().await;

    let page = format!("{}/", before.url("127.0.0.1"));
    visit(&app, "first load", &tab, THUMBS, tab.go_to(&page)).await.assert_downloads(THUMBS);
    visit(&app, "reload", &tab, THUMBS, tab.reload()).await.assert_downloads(THUMBS);
}

/// The table of the README is what this prints: `cargo test --test browser this_is_the_proof -- --nocapture`.
#[actix_web::test]
async fn with_redis_and_after_its_end_nothing_is_downloaded_again_and_this_is_the_proof() {
    let mut redis = RedisServer::start();
    let app =
        album::sampled(|wishes| wishes.settings.redis.url = Some(RedisUrl::parse(&redis.url()).unwrap()))
            .await;
    let before = signing_anew::in_front_of(&app);
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    let page = page_of(&app);

    let first = visit(&app, "first load", &tab, THUMBS, tab.go_to(&page)).await;
    let reload = visit(&app, "reload", &tab, THUMBS, tab.reload()).await;
    let other = browser.tab().await;
    let new_tab = visit(&app, "new tab", &other, THUMBS, other.go_to(&page)).await;
    other.close().await;
    open_first_person(&tab).await;
    let back = visit(&app, "back from a person's photos", &tab, THUMBS, tab.back()).await;
    redis.kill();
    app.let_answers_expire();
    let without_redis = visit(&app, "reload after Redis was killed", &tab, THUMBS, tab.reload()).await;
    let anew = format!("{}/", before.url("127.0.0.1"));
    let signed_anew =
        visit(&app, "signed anew at each request: first load", &tab, THUMBS, tab.go_to(&anew)).await;
    let again = visit(&app, "signed anew at each request: reload", &tab, THUMBS, tab.reload()).await;

    for visit in [&first, &reload, &new_tab, &back, &without_redis, &signed_anew, &again] {
        println!("{visit}");
    }
    for seen in [reload, new_tab, back, without_redis] {
        seen.assert_downloads(0);
    }
    for unseen in [first, signed_anew, again] {
        unseen.assert_downloads(THUMBS);
    }
    let failures = ["get", "connect"].map(|operation| {
        ["timeout", "unavailable"].map(|outcome| {
            let labels = format!(r#"{{operation="{operation}",outcome="{outcome}"}}"#);
            app.metric(&format!("beetroot_redis_calls_total{labels}"))
        })
    });
    assert!(failures.as_flattened().iter().sum::<u64>() > 0, "Redis was asked after its end");
}
