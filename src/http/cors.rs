//! Which web pages may read the answers. Where all of them may, there is nothing to decide, and a warm answer is not charged for
//! the decision; `actix-cors` decides about listed origins.

use actix_cors::Cors;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};

use super::request_id::REQUEST_ID;

/// The longest that a browser may remember a preflight, seconds.
const PREFLIGHT_MAX_AGE: u16 = 3600;

/// The middleware for these origins.
pub(super) fn listed_origins(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allowed_header(header::CONTENT_TYPE)
        .expose_headers([header::ETAG, header::RETRY_AFTER, HeaderName::from_static(REQUEST_ID)])
        .max_age(usize::from(PREFLIGHT_MAX_AGE));
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Says that every page may read this answer, also to a request without `Origin`, as the replaced function did: a browser may
/// show a page the answer that it keeps from another request.
pub(super) fn allow_any_origin<B>(response: &mut ServiceResponse<B>) {
    let request = response.request().headers();
    let foreign_page = request.contains_key(header::ORIGIN);
    let permitted = request
        .get(header::ACCESS_CONTROL_REQUEST_METHOD)
        .filter(|_| *response.request().method() == Method::OPTIONS)
        .is_some_and(|method| {
            let asked = request.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
            let names =
                asked.flat_map(|field| field.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
            [&b"GET"[..], b"HEAD", b"OPTIONS"].contains(&method.as_bytes())
                && names
                    .filter(|name| !name.is_empty())
                    .all(|name| name.eq_ignore_ascii_case(b"content-type"))
        });
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if permitted {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE.into());
    } else if foreign_page {
        let exposed = HeaderValue::from_static("etag, retry-after, x-request-id");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}
