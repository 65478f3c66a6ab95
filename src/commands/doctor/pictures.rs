//! Pictures as a browser fetches them: signed by the service's own signer, through the public endpoint.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::browser::{Browser, Reply};
use super::bucket::unreachable;
use super::explain::{count, share};
use super::explain_s3::{self, Place};
use super::finding::{Finding, Trouble};
use super::tables::Sample;
use crate::config::Presign;
use crate::domain::{AllowList, ObjectRef, Refusal};
use crate::shared_cache::SharedCache;
use crate::urls::UrlBook;

const ALLOWED: &str = "presign.allow";
const PERSON_THUMB: &str = "picture.person_thumb";
const OCCURRENCE_THUMB: &str = "picture.occurrence_thumb";
const PHOTO: &str = "picture.photo";
/// What is always told, for when it cannot be.
pub(super) const IDS: [&str; 3] = [PERSON_THUMB, OCCURRENCE_THUMB, PHOTO];

/// Pictures of each kind that are fetched: one that is missing says little about the others.
const FETCHED: usize = 3;

/// What signs and what fetches.
pub(super) struct Tools<'a> {
    pub(super) urls: &'a UrlBook,
    pub(super) allowed: &'a AllowList,
    pub(super) browser: &'a Browser,
    pub(super) presign: &'a Presign,
}

/// A picture that came, for who wants to look at it again. Has no `Debug`: the URL is a secret.
pub(super) struct Shown {
    pub(super) bucket: String,
    pub(super) url: String,
    pub(super) reply: Reply,
}

/// A kind of picture, and how its check is called.
struct Kind {
    id: &'static str,
    what: &'static str,
    objects: Vec<(String, String)>,
}

pub(super) async fn check(tools: &Tools<'_>, sample: &Sample) -> (Vec<Finding>, Vec<Shown>) {
    let thumbs = &tools.presign.thumbs_bucket;
    let in_thumbs = |keys: &[String]| keys.iter().map(|key| (thumbs.clone(), key.clone())).collect();
    let kinds = [
        Kind { id: PERSON_THUMB, what: "repThumbKey", objects: in_thumbs(&sample.person_thumbs) },
        Kind { id: OCCURRENCE_THUMB, what: "thumbKey", objects: in_thumbs(&sample.occurrence_thumbs) },
        Kind { id: PHOTO, what: "place of a photo", objects: sample.photos.clone() },
    ];
    let mut findings = refused(tools, kinds.iter().flat_map(|kind| &kind.objects));
    let mut shown = Vec::new();
    for (finding, of_kind) in join_all(kinds.iter().map(|kind| fetch_kind(tools, kind))).await {
        findings.push(finding);
        shown.extend(of_kind);
    }
    (findings, shown)
}

/// What rows name and nobody may sign.
fn refused<'a>(tools: &Tools<'_>, objects: impl Iterator<Item = &'a (String, String)>) -> Vec<Finding> {
    let mut by_reason: BTreeMap<&str, (Refusal, usize, String)> = BTreeMap::new();
    let mut all = 0;
    for (bucket, key) in objects {
        all += 1;
        if let Err(refusal) = tools.allowed.object(bucket, key) {
            let example = || (refusal, 0, format!("{bucket}/{key}"));
            by_reason.entry(refusal.label()).or_insert_with(example).1 += 1;
        }
    }
    if by_reason.is_empty() {
        let list = if tools.presign.allow.is_empty() {
            "no list restricts them"
        } else {
            "all within presign.allow"
        };
        return if all == 0 {
            Vec::new()
        } else {
            vec![Finding::ok(ALLOWED, format!("{} of the sample, {list}", count(all, "key", "keys")))]
        };
    }
    // where nothing can be signed, nobody sees a picture
    let is_nothing_left = by_reason.values().map(|(_, number, _)| number).sum::<usize>() == all;
    let told = by_reason.into_values().map(|(refusal, number, example)| {
        let found =
            format!("{} of the sample's keys get no URL: {refusal}, such as {example}", share(number, all));
        let advice = match refusal {
            Refusal::NotAllowed => "add their bucket/prefix to presign.allow, or correct the rows",
            Refusal::DotSegment => "rename the objects: browsers fold . and .. out of a path before they ask",
            Refusal::BucketName | Refusal::DirectoryBucket | Refusal::KeyLength => "correct the rows",
        };
        let finding = if is_nothing_left { Finding::fail } else { Finding::warn };
        finding(ALLOWED, found, advice)
    });
    told.collect()
}

/// How one picture came.
enum Came {
    Good(Shown),
    /// It came, and something about it is odd.
    Odd(Shown, Trouble),
    Not(Trouble),
}

async fn fetch_kind(tools: &Tools<'_>, kind: &Kind) -> (Finding, Vec<Shown>) {
    let Kind { id, what, objects } = kind;
    let allowed = objects.iter().filter_map(|(bucket, key)| tools.allowed.object(bucket, key).ok());
    let allowed: Vec<Option<ObjectRef>> = allowed.take(FETCHED).map(Some).collect();
    if allowed.is_empty() {
        return (
            Finding::skip(id, &format!("because no row that was read has a {what} that may be signed")),
            Vec::new(),
        );
    }
    // without Redis: the doctor must leave nothing there
    let signed = tools.urls.urls(&allowed, &mut SharedCache::off().session()).await;
    let signed = match signed {
        Ok(signed) => signed,
        Err(error) => {
            return (Finding::skip(id, &format!("because nothing can be signed: {error}")), Vec::new());
        }
    };
    let signed: Vec<_> = allowed.into_iter().flatten().zip(signed.into_iter().flatten()).collect();
    if signed.is_empty() {
        return (Finding::skip(id, "because the credentials leave no second to sign for"), Vec::new());
    }
    let fetched =
        join_all(signed.iter().map(|(object, signed)| fetch(tools, object, signed.url.expose()))).await;
    judge(id, fetched)
}

fn judge(id: &'static str, fetched: Vec<Came>) -> (Finding, Vec<Shown>) {
    let all = fetched.len();
    let mut shown = Vec::new();
    let mut odd = None;
    let mut failed = None;
    for came in fetched {
        match came {
            Came::Good(picture) => shown.push(picture),
            Came::Odd(picture, trouble) => {
                shown.push(picture);
                odd.get_or_insert(trouble);
            }
            Came::Not(trouble) => {
                failed.get_or_insert(trouble);
            }
        }
    }
    let finding = match (failed, odd) {
        (Some(trouble), _) if shown.is_empty() => trouble.fails(id),
        (Some(mut trouble), _) => {
            trouble.found = format!("{} came; {}", share(shown.len(), all), trouble.found);
            trouble.warns(id)
        }
        (None, Some(trouble)) => trouble.warns(id),
        (None, None) => Finding::ok(id, format!("{} came by signed URLs", count(all, "picture", "pictures"))),
    };
    (finding, shown)
}

async fn fetch(tools: &Tools<'_>, object: &ObjectRef, url: &str) -> Came {
    let (bucket, key) = (object.bucket(), object.key());
    let endpoint = match tools.urls.bucket_endpoint(bucket).await {
        Ok(endpoint) => endpoint,
        Err(error) => {
            return Came::Not(Trouble::new(error.to_string(), "correct the bucket's name or the endpoints"));
        }
    };
    let reply = match tools.browser.get(url, None).await {
        Ok(reply) => reply,
        Err(error) => return Came::Not(unreachable(&endpoint, &error)),
    };
    if !(200..300).contains(&reply.status) {
        let place = Place { bucket, key, region: &endpoint.region };
        return Came::Not(explain_s3::explain(&reply, place));
    }
    let at = format!("{bucket}/{key}");
    if let Some(trouble) = no_picture(&reply, &at) {
        return Came::Not(trouble);
    }
    let trouble = odd_headers(&reply, &at, tools.presign.response_cache_control().as_deref());
    let shown = Shown { bucket: bucket.to_owned(), url: url.to_owned(), reply };
    match trouble {
        None => Came::Good(shown),
        Some(trouble) => Came::Odd(shown, trouble),
    }
}

/// Text where a picture should be: what answers may be no S3 at all.
fn no_picture(reply: &Reply, at: &str) -> Option<Trouble> {
    let content_type = reply.header("content-type")?;
    let is_text =
        ["text/", "application/json", "application/xml"].iter().any(|kind| content_type.starts_with(kind));
    is_text.then(|| {
        Trouble::new(
            format!("{at} comes as {content_type}"),
            "something else than S3 answers there (a login page, a proxy: look at S3_PUBLIC_ENDPOINT), or what was uploaded is no \
             picture",
        )
    })
}

/// What a browser would do otherwise than meant.
fn odd_headers(reply: &Reply, at: &str, cache_control: Option<&str>) -> Option<Trouble> {
    let content_type = reply.header("content-type").unwrap_or_default();
    if !content_type.starts_with("image/") {
        let named = if content_type.is_empty() { "no Content-Type" } else { content_type };
        return Some(Trouble::new(
            format!("{at} comes with {named}"),
            "upload pictures with their Content-Type (image/jpeg): an <img> often shows them anyway, a link downloads them, and with \
             nosniff nothing shows them",
        ));
    }
    let found = reply.header("cache-control");
    if cache_control.is_some_and(|wanted| found != Some(wanted)) {
        return Some(Trouble::new(
            format!(
                "{at} comes with Cache-Control {}, instead of {}",
                found.unwrap_or("(none)"),
                cache_control.unwrap_or_default()
            ),
            "something between S3 and browsers, or what stands in for S3, drops response-cache-control: browsers will fetch pictures \
             again",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_none_and_a_lost_cache_control_are_odd() {
        let cache = "private, max-age=3600, immutable";
        let reply = |content_type: &'static str, cache: &'static str| {
            Reply::with_headers(206, &[("Content-Type", content_type), ("Cache-Control", cache)])
        };
        assert_eq!(odd_headers(&reply("image/jpeg", cache), "b/k", Some(cache)), None);
        assert_eq!(odd_headers(&reply("image/jpeg", "no-store"), "b/k", None), None);
        let bytes = odd_headers(&reply("binary/octet-stream", cache), "b/k", Some(cache)).unwrap();
        assert!(bytes.found.contains("binary/octet-stream"), "{bytes:?}");
        assert!(no_picture(&reply("text/html; charset=utf-8", cache), "b/k").is_some());
        assert_eq!(no_picture(&reply("image/svg+xml", cache), "b/k"), None);
        let lost = odd_headers(&reply("image/jpeg", "no-store"), "b/k", Some(cache)).unwrap();
        assert!(
            lost.found.contains("no-store") && lost.advice.contains("response-cache-control"),
            "{lost:?}"
        );
    }
}
