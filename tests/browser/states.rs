//! Every state of the page, one after the other.

use super::album::{self, page_of};
use super::driver::{Chromium, Tab};
use super::pictures::in_view_shown;

/// Shows each state in a tab and lets `look` at it, with the state's name.
pub async fn each(look: impl AsyncFn(&str, &Tab)) {
    let browser = Chromium::start().await;
    let tab = browser.tab().await;

    let app = album::sampled(|_| {}).await;
    let page = page_of(&app);
    tab.go_to(&page).await;
    tab.wait_for("document.querySelectorAll('.tile a').length === 24").await;
    in_view_shown(&tab).await;
    look("people", &tab).await;
    tab.click(".tile a").await;
    tab.wait_for("document.querySelectorAll('.view:not([hidden]) .tile a').length === 24").await;
    in_view_shown(&tab).await;
    look("person", &tab).await;
    tab.click(".view:not([hidden]) .tile a").await;
    tab.wait_for("document.querySelector('dialog img')?.naturalWidth > 0").await;
    look("photo", &tab).await;

    let app = album::empty(|_| {}).await;
    tab.go_to(&page_of(&app)).await;
    tab.wait_for("document.querySelector('.foot').textContent === 'Nobody is here yet.'").await;
    look("empty", &tab).await;
    app.dynamodb().deny_all();
    tab.eval::<String>("location.hash = '#/person/anna'").await;
    tab.wait_for("document.querySelector('[role=alert]') !== null").await;
    look("error", &tab).await;
    let troubles = browser.take_troubles();
    assert!(troubles.iter().all(|trouble| trouble.contains("503")), "{troubles:#?}");
}
