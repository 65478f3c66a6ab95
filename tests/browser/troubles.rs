//! That a page which breaks something fails its test.

use super::album::{self, page_of};
use super::driver::Chromium;
use super::small_server::SmallServer;

#[actix_web::test]
async fn troubles_of_a_page_are_noticed() {
    let app = album::empty(|_| {}).await;
    let browser = Chromium::start().await;
    let tab = browser.tab().await;
    let policy = "<meta http-equiv='Content-Security-Policy' content=\"img-src 'none'\">";
    let faults =
        "console.error('a line on the console'); setTimeout(() => { throw new Error('an exception'); });";
    let page =
        format!("<!doctype html>{policy}<script>{faults}</script><img src='{}picture'>", page_of(&app));
    let server = SmallServer::start(move || {
        let page = page.clone();
        async move { actix_web::web::Html::new(page) }
    });

    tab.go_to(&server.url("localhost")).await;
    let expected = ["a line on the console", "an exception", "Content Security Policy"];
    let is_told = |text: &&str| browser.troubles().iter().any(|trouble| trouble.contains(text));
    tab.until("all troubles", async || expected.iter().all(is_told).then_some(())).await;

    browser.take_troubles();
}
