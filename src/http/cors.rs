//! Which web pages may read the answers, errors included: `actix-cors`, and what the contract adds to it.

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::request_id::REQUEST_ID;
use crate::config::AllowedOrigins;

/// The longest that a browser may remember a preflight, seconds.
pub(super) const PREFLIGHT_MAX_AGE: usize = 3600;

/// The layer that decides.
pub(super) fn policy(origins: &AllowedOrigins) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allowed_header(header::CONTENT_TYPE)
        .expose_headers([header::ETAG, header::RETRY_AFTER, HeaderName::from_static(REQUEST_ID)])
        .max_age(PREFLIGHT_MAX_AGE);
    match origins {
        AllowedOrigins::Any => cors.allow_any_origin().send_wildcard().disable_vary_header(),
        AllowedOrigins::List(origins) => {
            origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
        }
    }
}

/// Takes what was decided over to another answer.
pub(super) fn carry_over(decided: &HeaderMap, headers: &mut HeaderMap) {
    for (name, value) in decided {
        if name == header::VARY || name.as_str().starts_with("access-control-") {
            headers.append(name.clone(), value.clone());
        }
    }
}

/// `actix-cors` says nothing to a request without `Origin`; the replaced function did, and a browser may show a page the answer
/// that it keeps from another request.
pub(super) fn welcome_everyone(origins: &AllowedOrigins, headers: &mut HeaderMap) {
    if *origins == AllowedOrigins::Any {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}
