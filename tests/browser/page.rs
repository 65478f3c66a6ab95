//! The page as somebody uses it: scrolling, the keyboard, what its panel tells.

use super::album::{self, page_of};
use super::driver::{Chromium, Tab};
use super::pictures::all_shown;

/// How often Tab is pressed at most on the way to somewhere.
const FEW: usize = 6;

async fn tab_to(tab: &Tab, selector: &str) {
    for _ in 0..FEW {
        tab.press("Tab").await;
        if has_focus(tab, selector).await {
            return;
        }
    }
    let focused: String = tab.eval("document.activeElement.outerHTML").await;
    panic!("{selector} is not among the first {FEW}; the last one is {focused}");
}

async fn has_focus(tab: &Tab, selector: &str) -> bool {
    tab.eval(&focus_is_on(selector)).await
}

fn focus_is_on(selector: &str) -> String {
    format!("document.activeElement.matches(\"{selector}\") && document.activeElement.checkVisibility()")
}

#[actix_web::test]
async fn scrolling_loads_page_after_page_to_the_end() {
    let app = album::with_persons(130, 0, |_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;

    tab.go_to(&page_of(&app)).await;
    tab.wait_for("document.querySelectorAll('.tile a').length === 60").await;
    assert_eq!(tab.requests("/persons?").len(), 1, "nothing is loaded before somebody scrolls");
    tab.wait_for(
        "scrollTo(0, document.body.scrollHeight), document.querySelectorAll('.tile a').length === 130",
    )
    .await;
    tab.wait_for("document.querySelector('.foot').textContent === 'That is everybody.'").await;

    all_shown(&tab, 130).await;
    assert_eq!(tab.requests("/persons?").len(), 3);
    assert_eq!(app.s3().gets(), 130);
    let labels: Vec<String> =
        tab.eval("[...document.querySelectorAll('.tile .label')].map((label) => label.textContent)").await;
    let expected: Vec<_> = (0..130).map(|number| format!("person-{number:03}")).collect();
    assert_eq!(labels, expected);
}

#[actix_web::test]
async fn the_keyboard_leads_to_a_photo_and_back_and_the_focus_comes_along() {
    let app = album::with_persons(3, 4, |_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    tab.go_to(&page_of(&app)).await;
    all_shown(&tab, 3).await;

    tab_to(&tab, "a[href='#/person/person-000']").await;
    tab.press("Enter").await;
    all_shown(&tab, 4).await;
    tab.wait_for(&focus_is_on("h1")).await;
    tab_to(&tab, "a[href='#/person/person-000/photo/photo-0']").await;
    tab.press("Enter").await;
    tab.wait_for("document.querySelector('dialog img')?.naturalWidth === 900").await;
    tab.press("ArrowRight").await;
    tab.wait_for("location.hash.endsWith('/photo/photo-1')").await;
    tab.wait_for("document.querySelector('dialog img')?.naturalWidth === 900").await;
    tab.press("Escape").await;
    tab.wait_for(&focus_is_on("a[href='#/person/person-000/photo/photo-1']")).await;
    assert!(!tab.eval::<bool>("document.querySelector('dialog').open").await);
    tab.back().await;
    tab.wait_for(&focus_is_on("a[href='#/person/person-000']")).await;
    assert_eq!(tab.eval::<String>("document.title").await, "People");
}

#[actix_web::test]
async fn the_panel_tells_what_s3_counts() {
    let app = album::sampled(|_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    let panel_is = async |cached: u64, downloaded: u64, saved: &str| {
        let told = "['cached', 'downloaded', 'saved'].map((name) => document.getElementById(`panel-${name}`).textContent)";
        tab.wait_for(&format!("{told}.join() === '{cached},{downloaded},{saved}'")).await;
    };

    tab.go_to(&page_of(&app)).await;
    all_shown(&tab, 23).await;
    let (gets, bytes) = (app.s3().gets(), app.s3().bytes_sent());
    panel_is(0, gets, "0 B").await;
    tab.reload().await;
    all_shown(&tab, 23).await;

    panel_is(gets, 0, &format!("{} kB", (bytes + 500) / 1000)).await;
    let minutes: String = tab.eval("document.getElementById('panel-life').textContent").await;
    let minutes: u64 = minutes.strip_suffix(" min").expect(&minutes).parse().unwrap();
    assert!((5..60).contains(&minutes), "of an hour, the margin at least: {minutes}");
}
