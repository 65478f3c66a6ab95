//! The page at `/`: what a browser is given, and what it is kept from.

use std::collections::BTreeSet;

use beetroot_api::config::AllowedPrefix;
use reqwest::Method;

use super::answer::Answer;
use super::rows::{located, person};
use super::test_app::{TestApp, Wishes};

async fn start_with_viewer(change: impl FnOnce(&mut Wishes)) -> TestApp {
    TestApp::start_with(|wishes| {
        wishes.settings.server.viewer = true;
        change(wishes);
    })
    .await
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

/// The texts between two marks.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split_once(after)).map(|(found, _)| found)
}

/// The page's files as a browser finds them: from the page, and from module to module.
async fn files(app: &TestApp) -> Vec<(String, Answer)> {
    let page = app.get("/").await;
    let page = text(&page);
    let mut wanted: BTreeSet<String> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|before| between(page, before, "\""))
        .map(str::to_owned)
        .collect();
    wanted.retain(|path| !path.starts_with('#'));
    let mut files: Vec<(String, Answer)> = Vec::new();
    while let Some(path) = wanted.pop_first() {
        assert!(path.starts_with("/viewer/"), "{path}");
        let file = app.get(&path).await;
        for module in between(text(&file), " from './", "'") {
            let module = format!("/viewer/{module}");
            if files.iter().all(|(known, _)| *known != module) && module != path {
                wanted.insert(module);
            }
        }
        files.push((path, file));
    }
    files
}

fn policy(page: &Answer) -> &str {
    page.header("content-security-policy").unwrap()
}

fn image_sources(page: &Answer) -> BTreeSet<&str> {
    let directive = policy(page).split("; ").find_map(|directive| directive.strip_prefix("img-src "));
    directive.unwrap().split(' ').collect()
}

#[actix_web::test]
async fn without_the_setting_there_is_no_page_and_no_file_of_it() {
    let app = TestApp::start().await;
    for path in ["/", "/viewer/main.js", "/viewer/style.css", "/viewer/icon.svg"] {
        assert_eq!(app.get(path).await.assert_error(404), "not found", "{path}");
    }
}

#[actix_web::test]
async fn the_page_allows_its_own_files_and_the_pictures_and_nothing_else() {
    let app = start_with_viewer(|_| {}).await;
    let s3 = app.emulators().s3_endpoint();
    let page = app.get("/").await;
    page.assert_status(200)
        .assert_header("content-type", "text/html; charset=utf-8")
        .assert_header("cache-control", "no-cache")
        .assert_header("referrer-policy", "no-referrer")
        .assert_header("x-content-type-options", "nosniff")
        .assert_header("cross-origin-opener-policy", "same-origin")
        .assert_header("cross-origin-resource-policy", "same-origin");
    assert_eq!(
        policy(&page),
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             img-src 'self' {s3}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    assert!(page.header("permissions-policy").is_some());
    assert!(text(&page).contains(&format!("<meta name=\"picture-origins\" content=\"{s3}\">")), "{page}");
}

#[actix_web::test]
async fn every_file_that_page_and_modules_name_is_there_with_its_type() {
    let app = start_with_viewer(|_| {}).await;
    let files = files(&app).await;
    for (path, file) in &files {
        let media_type = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        file.assert_status(200)
            .assert_header("content-type", media_type)
            .assert_header("cache-control", "no-cache")
            .assert_header("cross-origin-resource-policy", "same-origin")
            .assert_header("x-content-type-options", "nosniff");
    }
    // every module is named in the page, so that none waits for another
    let page = app.get("/").await;
    for (path, _) in files {
        assert!(text(&page).contains(&format!("\"{path}\"")), "{path}");
    }
    app.get("/viewer/nothing.js").await.assert_error(404);
    app.request(Method::POST, "/viewer/nothing.js", &[]).await.assert_error(404);
}

#[actix_web::test]
async fn nothing_in_the_page_is_inline_and_nothing_leads_elsewhere() {
    let app = start_with_viewer(|_| {}).await;
    let page = app.get("/").await;
    let page = text(&page).replace(&app.emulators().s3_endpoint(), "");
    for forbidden in ["<style", " style=", "javascript:", "data:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for (tag, _) in page.match_indices("<script") {
        assert!(page[tag..].split_once("</script>").unwrap().0.ends_with('>'), "a script in the page");
    }
    for attribute in page.split_whitespace() {
        assert!(!(attribute.starts_with("on") && attribute.contains('=')), "{attribute}");
    }
    assert!(!page.contains("://"));
    for (path, file) in files(&app).await {
        let elsewhere = text(&file).replace("http://www.w3.org/2000/svg", "");
        assert!(!elsewhere.contains("://"), "{path}");
        for unsafe_sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!elsewhere.contains(unsafe_sink), "{unsafe_sink} in {path}");
        }
        for kept in ["localStorage", "sessionStorage", "indexedDB", "console."] {
            assert!(!elsewhere.contains(kept), "{path} could keep or print signed URLs: {kept}");
        }
    }
}

#[actix_web::test]
async fn who_has_a_file_already_gets_304_and_other_methods_405() {
    let app = start_with_viewer(|_| {}).await;
    for path in ["/", "/viewer/main.js", "/viewer/icon.svg"] {
        let full = app.get(path).await;
        let tag = full.header("etag").unwrap();
        assert!(tag.starts_with('"'), "a strong tag: {tag}");
        for known in [tag, "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
            let answer = app.request(Method::GET, path, &[("if-none-match", known)]).await;
            answer.assert_status(304).assert_header("etag", tag).assert_header("cache-control", "no-cache");
            assert!(answer.body.is_empty());
        }
        app.request(Method::GET, path, &[("if-none-match", "\"x\"")]).await.assert_status(200);

        let head = app.request(Method::HEAD, path, &[]).await;
        head.assert_status(200).assert_header("content-length", &full.body.len().to_string());
        let post = app.request(Method::POST, path, &[]).await;
        post.assert_error(405);
        post.assert_header("allow", "GET, HEAD, OPTIONS");
    }
}

/// Buckets on AWS have a host each. Nobody is asked for a picture here, so they need not exist.
async fn start_on_aws_hosts(change: impl FnOnce(&mut Wishes)) -> TestApp {
    start_with_viewer(|wishes| {
        wishes.settings.aws.s3_endpoint = None;
        change(wishes);
    })
    .await
}

fn aws_host(bucket: &str) -> String {
    format!("https://{bucket}.s3.eu-central-1.amazonaws.com")
}

#[actix_web::test]
async fn a_bucket_that_a_row_names_is_in_the_policy_from_then_on_and_the_tag_is_another() {
    let app = start_on_aws_hosts(|_| {}).await;
    app.put_occurrences([located("anna", "1", "p1")]).await;
    let before = app.get("/").await;
    assert_eq!(image_sources(&before), BTreeSet::from(["'self'", &*aws_host("thumbs")]));

    app.get("/persons/anna/photos").await.ok();

    let tag = before.header("etag").unwrap();
    let after = app.request(Method::GET, "/", &[("if-none-match", tag)]).await;
    after.assert_status(200);
    assert_eq!(image_sources(&after), BTreeSet::from(["'self'", &*aws_host("raw"), &*aws_host("thumbs")]));
}

#[actix_web::test]
async fn the_buckets_of_the_allow_list_are_in_the_policy_from_the_start() {
    let allowed = |bucket: &str| AllowedPrefix { bucket: bucket.to_owned(), prefix: String::new() };
    let app =
        start_on_aws_hosts(|wishes| wishes.settings.presign.allow = vec![allowed("thumbs"), allowed("raw")])
            .await;
    app.put_persons([person("anna", "1")]).await;

    let page = app.get("/").await;

    assert_eq!(image_sources(&page), BTreeSet::from(["'self'", &*aws_host("raw"), &*aws_host("thumbs")]));
}

#[actix_web::test]
async fn an_endpoint_is_in_the_policy_as_browsers_write_it() {
    for (endpoint, origin) in [
        ("https://S3.Example.com:443/files", "https://s3.example.com"),
        ("http://localhost:9000", "http://localhost:9000"),
    ] {
        let app = start_with_viewer(|wishes| {
            wishes.settings.aws.s3_public_endpoint = Some(endpoint.to_owned());
        })
        .await;
        let page = app.get("/").await;
        assert_eq!(image_sources(&page), BTreeSet::from(["'self'", origin]), "{endpoint}");
    }
}

#[test]
fn the_technique_in_the_documentation_is_what_the_page_does() {
    let documented = include_str!("../../docs/frontend.md");
    let module = include_str!("../../src/http/viewer/fresh-urls.js");
    assert!(
        documented.contains(&format!("```js\n{module}```")),
        "docs/frontend.md shows another fresh-urls.js"
    );
}
