//! Stored bodies out: which coding, or only the news that the client has it already.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use super::accept_encoding;
use crate::gallery::{Answer, Coding};

/// Only the user's own browser keeps it, and asks before it uses it again.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("private, no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const VARY: HeaderValue = HeaderValue::from_static("accept-encoding");

/// What a client says that it has.
enum Known {
    Nothing,
    /// `*`: whatever there is.
    Anything,
    /// The body in this coding.
    Body(Coding),
}

/// The answer to this request: 200 with the body, or 304 without.
pub(super) fn reply(request: &HttpRequest, answer: &Answer<'_>) -> HttpResponse {
    let headers = request.headers();
    let known = match known(headers, answer) {
        // the client's own tag, so that it knows which of its copies is meant
        Known::Body(coding) => Some(answer.rendered().etag(coding)),
        Known::Anything => Some(&answer.body(accept_encoding::preferred(headers)).etag),
        Known::Nothing => None,
    };
    if let Some(etag) = known {
        let mut response = HttpResponse::NotModified();
        return response
            .insert_header((header::ETAG, value(etag)))
            .insert_header((header::CACHE_CONTROL, CACHE_CONTROL))
            .insert_header((header::VARY, VARY))
            .finish();
    }
    let body = answer.body(accept_encoding::preferred(headers));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::CACHE_CONTROL, CACHE_CONTROL))
        .insert_header((header::VARY, VARY))
        .insert_header((header::ETAG, value(&body.etag)));
    if body.coding != Coding::Identity {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static(body.coding.name())));
    }
    response.body(body.bytes.clone())
}

/// A body in any coding is the same answer.
fn known(headers: &HeaderMap, answer: &Answer<'_>) -> Known {
    for tag in known_tags(headers) {
        if tag == b"*" {
            return Known::Anything;
        }
        if let Some(coding) = answer.rendered().coding_of_tag(tag) {
            return Known::Body(coding);
        }
    }
    Known::Nothing
}

/// Reads `If-None-Match` (RFC 9110, 13.1.2): tags for the weak comparison, or `*`.
pub(super) fn known_tags(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let fields = headers.get_all(header::IF_NONE_MATCH);
    let items = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    items.map(<[u8]>::trim_ascii).map(|item| item.strip_prefix(b"W/").unwrap_or(item))
}

/// Tags are made of quotes, hexadecimal digits and names of codings.
fn value(etag: &Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(etag.clone()).unwrap_or(HeaderValue::from_static("\"\""))
}
