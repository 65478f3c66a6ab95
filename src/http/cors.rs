//! Which web pages may read the answers, errors included.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::config::AllowedOrigins;

/// The longest that a browser may remember a preflight, seconds.
const PREFLIGHT_MAX_AGE: u16 = 3600;

/// Writes what the origins' list allows into the head of an answer.
///
/// Where every page is welcome, a request without `Origin` hears it as well, as it did from the replaced function: a browser may
/// show a page the answer that it keeps from another request.
pub(super) fn mark(origins: &AllowedOrigins, request: &HttpRequest, headers: &mut HeaderMap) {
    let origin = request.headers().get(header::ORIGIN);
    let allowed = match origins {
        AllowedOrigins::Any => HeaderValue::from_static("*"),
        AllowedOrigins::List(listed) => {
            let vary = if headers.contains_key(header::VARY) { "accept-encoding, origin" } else { "origin" };
            headers.insert(header::VARY, HeaderValue::from_static(vary));
            let known =
                origin.filter(|origin| listed.iter().any(|known| known.as_bytes() == origin.as_bytes()));
            let Some(known) = known else { return };
            known.clone()
        }
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if origin.is_none() {
        return;
    }
    if permits(request) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE.into());
    } else {
        let exposed = HeaderValue::from_static("etag, retry-after, x-request-id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// Whether this is a preflight that asks for what is offered. Another one gets no permission, which is all that a browser
/// looks at.
fn permits(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).map(HeaderValue::as_bytes);
    let names = headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let mut names =
        names.flat_map(|field| field.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    *request.method() == Method::OPTIONS
        && matches!(method, Some(b"GET" | b"HEAD" | b"OPTIONS"))
        && names.all(|name| name.is_empty() || name.eq_ignore_ascii_case(b"content-type"))
}
