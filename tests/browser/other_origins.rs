//! A frontend on another site, `localhost` where the service is `127.0.0.1`, that uses the API and shows the pictures.

use super::album::page_of;
use super::driver::Chromium;
use super::pictures::all_shown;
use super::small_server::SmallServer;
use super::{album, signing_anew};

/// `PICTURE` is a statement about each picture.
fn frontend(api: &str, picture: &str) -> SmallServer {
    let page = include_str!("frontend.html").replace("API", api).replace("PICTURE", picture);
    SmallServer::start(move || {
        let page = page.clone();
        async move { actix_web::web::Html::new(page) }
    })
}

async fn is_shown_and_a_reload_downloads_nothing(picture: &str) {
    let app = album::with_persons(20, 0, |_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    let frontend = frontend(&page_of(&app), picture);

    tab.go_to(&frontend.url("localhost")).await;
    all_shown(&tab, 20).await;
    assert_eq!(app.s3().gets(), 20);
    tab.reload().await;
    all_shown(&tab, 20).await;

    assert_eq!(app.s3().gets(), 20);
}

#[actix_web::test]
async fn a_page_of_another_site_shows_the_pictures_and_a_reload_downloads_nothing() {
    is_shown_and_a_reload_downloads_nothing("").await;
}

#[actix_web::test]
async fn a_page_of_another_site_with_crossorigin_shows_the_pictures_and_a_reload_downloads_nothing() {
    is_shown_and_a_reload_downloads_nothing("picture.crossOrigin = 'anonymous';").await;
}

#[actix_web::test]
async fn urls_that_are_signed_anew_make_a_page_of_another_site_download_everything_again() {
    let app = album::with_persons(20, 0, |_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    let before = signing_anew::in_front_of(&app);
    let frontend = frontend(&format!("{}/", before.url("127.0.0.1")), "");

    tab.go_to(&frontend.url("localhost")).await;
    all_shown(&tab, 20).await;
    assert_eq!(app.s3().gets(), 20);
    tab.reload().await;
    all_shown(&tab, 20).await;

    assert_eq!(app.s3().gets(), 40);
}
