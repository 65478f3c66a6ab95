//! The buckets' CORS as a browser sees it: the same picture with and without an `Origin`.

use super::browser::{Browser, Reply};
use super::finding::Finding;
use super::pictures::Shown;
use crate::config::{AllowedOrigins, Cors};

pub(super) const ID: &str = "bucket_cors";

/// An origin for those that allow any.
const ANY_ORIGIN: &str = "https://any-page.example";
/// Origins that are tried.
const TRIED: usize = 5;

/// One finding for each bucket that a picture came from.
pub(super) async fn check(browser: &Browser, cors: &Cors, shown: &[Shown]) -> Vec<Finding> {
    let origins: Vec<&str> = match &cors.allowed_origins {
        AllowedOrigins::Any => vec![ANY_ORIGIN],
        AllowedOrigins::List(origins) => origins.iter().map(String::as_str).take(TRIED).collect(),
    };
    if shown.is_empty() {
        return vec![Finding::skip(ID, "because no picture came")];
    }
    if origins.is_empty() {
        return vec![Finding::skip(
            ID,
            "because cors.allowed_origins is empty: no foreign page is meant to read anything",
        )];
    }
    let mut findings = Vec::new();
    let mut buckets: Vec<&str> = Vec::new();
    for picture in shown {
        if !buckets.contains(&picture.bucket.as_str()) {
            buckets.push(&picture.bucket);
            findings.push(check_bucket(browser, picture, &origins).await);
        }
    }
    findings
}

async fn check_bucket(browser: &Browser, picture: &Shown, origins: &[&str]) -> Finding {
    for origin in origins {
        let with_origin = match browser.get(&picture.url, Some(origin)).await {
            Ok(reply) => reply,
            Err(error) => {
                return Finding::skip(
                    ID,
                    &format!("because bucket {} gave no answer: {error}", picture.bucket),
                );
            }
        };
        if let Some(finding) = judge(&picture.bucket, origin, &with_origin) {
            return finding;
        }
    }
    let without = match picture.reply.header("access-control-allow-origin") {
        Some(_) => "and without an Origin as well",
        None => {
            "but not without an Origin: give every <img> of a picture the same crossorigin, or a browser's copy for one fails the other"
        }
    };
    Finding::ok(ID, format!("bucket {} lets {} read pictures, {without}", picture.bucket, origins.join(", ")))
}

/// `None` when a page of this origin may read the picture.
fn judge(bucket: &str, origin: &str, reply: &Reply) -> Option<Finding> {
    let meaning = "a plain <img> shows pictures without it; <img crossorigin>, fetch() and a canvas that is read need it; \
                   `beetroot-api policy bucket-cors` prints the rules to attach";
    let allowed = reply.header("access-control-allow-origin");
    match allowed {
        None => Some(Finding::warn(
            ID,
            format!("bucket {bucket} does not allow {origin} to read (no Access-Control-Allow-Origin)"),
            meaning,
        )),
        Some("*") => None,
        Some(allowed) if allowed != origin => Some(Finding::warn(
            ID,
            format!("bucket {bucket} allows {allowed} to read, not {origin}"),
            meaning,
        )),
        Some(_) => {
            let varies = reply.header("vary").unwrap_or_default();
            let names_origin = varies
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case("origin") || name.trim() == "*");
            (!names_origin).then(|| {
                Finding::warn(
                    ID,
                    format!("bucket {bucket} allows {origin} without Vary: Origin"),
                    "a cache may give one page's answer to another: what stands between S3 and browsers must keep Vary",
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_read_what_names_its_origin_or_every_one() {
        for (headers, part) in [
            (vec![], Some("does not allow")),
            (vec![("Access-Control-Allow-Origin", "*")], None),
            (vec![("Access-Control-Allow-Origin", "https://b.example")], Some("not https://a.example")),
            (vec![("Access-Control-Allow-Origin", "https://a.example")], Some("without Vary")),
            (vec![("Access-Control-Allow-Origin", "https://a.example"), ("Vary", "Accept, origin")], None),
        ] {
            let finding = judge("raw", "https://a.example", &Reply::with_headers(206, &headers));
            match part {
                None => assert_eq!(finding, None, "{headers:?}"),
                Some(part) => {
                    assert!(finding.is_some_and(|finding| finding.found.contains(part)), "{headers:?}");
                }
            }
        }
    }
}
