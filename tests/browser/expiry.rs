//! Pictures that fail in an open tab: those whose URL is over come back, those that are gone are given up.

use std::time::Duration;

use serde_json::json;

use super::album::{self, page_of, thumb_of};
use super::driver::{Chromium, Tab};
use super::pictures::all_shown;
use super::test_app::{THUMBS_BUCKET, TestApp};

const HOURS: Duration = Duration::from_secs(2 * 3600);

/// Lets the page have an answer that is two hours old, as it has in a tab that was open for so long, and lets the service go on
/// in the present. The app's clock must be two hours behind.
async fn go_to_with_an_old_answer(tab: &Tab, app: &TestApp) {
    let answers = json!({"patterns": [{"urlPattern": "*/persons?*", "requestStage": "Response"}]});
    tab.call("Fetch.enable", answers).await;
    tab.go_to(&page_of(app)).await;
    let paused = tab.until("an answer", async || tab.events("Fetch.requestPaused").pop()).await;
    app.clock.advance(HOURS);
    tab.call("Fetch.continueRequest", json!({"requestId": paused["requestId"]})).await;
    tab.call("Fetch.disable", json!({})).await;
}

fn two_hours_ago(wishes: &mut super::test_app::Wishes) {
    let now = wishes.clock.now();
    wishes.clock = beetroot_api::clock::Clock::manual(now - HOURS);
}

/// Pictures failed, as they should here, and nothing else did.
fn assert_only_pictures_failed(browser: &Chromium) {
    let troubles = browser.take_troubles();
    assert!(!troubles.is_empty());
    assert!(troubles.iter().all(|trouble| trouble.starts_with("failed picture")), "{troubles:#?}");
}

#[actix_web::test]
async fn pictures_whose_urls_are_over_come_back_with_one_call_of_the_api() {
    let app = album::with_persons(40, 0, two_hours_ago).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;

    go_to_with_an_old_answer(&tab, &app).await;
    all_shown(&tab, 40).await;

    assert!(app.s3().refused() > 0, "the first URLs were over");
    assert_eq!(tab.requests("/persons?").len(), 2, "the list, and once more");
    assert_eq!(app.s3().gets() - app.s3().refused(), 40, "each picture was downloaded once");
    assert_only_pictures_failed(&browser);
}

#[actix_web::test]
async fn a_picture_that_never_loads_is_given_up_and_named() {
    let app = album::with_persons(5, 0, |_| {}).await;
    let gone = thumb_of("person-003");
    app.s3_client().delete_object().bucket(THUMBS_BUCKET).key(&gone).send().await.unwrap();
    let browser = Chromium::start().await;
    let tab = browser.tab().await;

    tab.go_to(&page_of(&app)).await;
    tab.wait_for("document.querySelectorAll('.frame.is-missing').length === 1").await;
    all_shown(&tab, 4).await;
    // a page that asked on and on would do so meanwhile: as soon as one try has failed
    tab.eval::<()>("(async () => { for (let i = 0; i < 20; i += 1) await fetch('/healthz'); })()").await;

    assert_eq!(app.s3().gets_of(THUMBS_BUCKET, &gone), 2, "one more try");
    assert_eq!(app.s3().gets(), 4 + 2);
    assert_eq!(tab.requests("/persons?").len(), 2, "the list, and once more");
    assert_eq!(
        tab.eval::<String>("document.querySelector('.is-missing').textContent").await,
        "Cannot be shown"
    );
    assert_only_pictures_failed(&browser);
}

#[actix_web::test]
async fn a_picture_that_was_given_up_is_tried_again_when_somebody_asks_for_it() {
    let app = album::with_persons(5, 0, |_| {}).await;
    let gone = thumb_of("person-003");
    app.s3_client().delete_object().bucket(THUMBS_BUCKET).key(&gone).send().await.unwrap();
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    tab.go_to(&page_of(&app)).await;
    tab.wait_for("document.querySelector('.gone button')?.checkVisibility() ?? false").await;
    assert_only_pictures_failed(&browser);
    album::put_thumb(&app, "person-003", 3).await;

    tab.click(".gone button").await;

    all_shown(&tab, 5).await;
    assert!(!tab.eval::<bool>("document.querySelector('.gone').checkVisibility()").await, "nothing is amiss");
}
