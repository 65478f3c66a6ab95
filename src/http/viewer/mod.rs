//! The page at `/`, for looking at the pictures: plain files, compiled in, and the headers that keep it to itself.
//!
//! It is a client of the API like any other, and knows nothing that the API does not tell.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest, Sha256};

use super::Shared;
use super::error::ApiError;
use super::reply::known_tags;

/// The route of the page.
pub(super) const PAGE: &str = "/";
/// The route of its files, in the metrics.
pub(super) const FILES: &str = "/viewer/{file}";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What stands in the page for the origins of the pictures.
const ORIGINS_PLACE: &str = "{{picture-origins}}";
const INDEX: &str = include_str!("index.html");

/// One file of the page.
struct File {
    path: &'static str,
    media_type: &'static str,
    body: &'static str,
}

/// What the page asks of nobody's machine.
const NO_DEVICES: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

const ALL_FILES: [File; 11] = [
    File { path: "/viewer/style.css", media_type: CSS, body: include_str!("style.css") },
    File { path: "/viewer/icon.svg", media_type: SVG, body: include_str!("icon.svg") },
    File { path: "/viewer/main.js", media_type: JAVASCRIPT, body: include_str!("main.js") },
    File { path: "/viewer/api.js", media_type: JAVASCRIPT, body: include_str!("api.js") },
    File { path: "/viewer/dom.js", media_type: JAVASCRIPT, body: include_str!("dom.js") },
    File { path: "/viewer/fresh-urls.js", media_type: JAVASCRIPT, body: include_str!("fresh-urls.js") },
    File { path: "/viewer/list.js", media_type: JAVASCRIPT, body: include_str!("list.js") },
    File { path: "/viewer/picture.js", media_type: JAVASCRIPT, body: include_str!("picture.js") },
    File { path: "/viewer/grid.js", media_type: JAVASCRIPT, body: include_str!("grid.js") },
    File { path: "/viewer/photo.js", media_type: JAVASCRIPT, body: include_str!("photo.js") },
    File { path: "/viewer/panel.js", media_type: JAVASCRIPT, body: include_str!("panel.js") },
];

/// The paths of all files.
pub(super) fn paths() -> Vec<&'static str> {
    ALL_FILES.iter().map(|file| file.path).collect()
}

/// The page. It names the origins of its pictures, and no others are loaded: the policy is part of what its tag stands for,
/// because a browser that gets a `304` goes on with the policy that it has.
pub(super) async fn get_page(shared: web::Data<Shared>, request: HttpRequest) -> HttpResponse {
    let mut origins = shared.gallery.picture_origins();
    // operators name endpoints in many ways; what could end an attribute or a directive is not an origin
    origins.retain(|origin| {
        origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte))
    });
    let origins = origins.join(" ");
    let mut response = reply(&request, HTML, INDEX.replace(ORIGINS_PLACE, &origins));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy(&origins));
    headers.insert(header::CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::PERMISSIONS_POLICY, HeaderValue::from_static(NO_DEVICES));
    response
}

/// One of its files.
pub(super) async fn get_file(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.uri().path();
    let file = ALL_FILES.iter().find(|file| file.path == path);
    let file = file.ok_or_else(|| ApiError::NotFound(path.to_owned()))?;
    Ok(reply(&request, file.media_type, file.body))
}

/// Nothing but what the page consists of, no inline script or style, and pictures from where they are.
fn policy(origins: &str) -> HeaderValue {
    // 'self' in img-src is the icon
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' {origins}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(policy.trim_end()).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The body, or that the browser has it already. The tag is made each time: who looks at a page can wait some microseconds.
fn reply(request: &HttpRequest, media_type: &'static str, body: impl Into<String>) -> HttpResponse {
    let body = body.into();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let is_known = known_tags(request.headers()).any(|known| known == b"*" || known == tag.as_bytes());
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("cross-origin-resource-policy", "same-origin"));
    if is_known { response.finish() } else { response.content_type(media_type).body(body) }
}
