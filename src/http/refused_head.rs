//! What the HTTP library refuses before there is a request, told as every other error is.
//!
//! It answers by itself and without a body what is no HTTP, a head that does not end in time, and one that is too large, and lets
//! nobody have a say. A connection sees its bytes last: there they are recognised, and an answer of the contract goes out in
//! their place, counted and logged.

use actix_web::body::MessageBody;
use actix_web::http::header;
use actix_web::web;
use bytes::Bytes;

use super::access_log::{OTHER, add_common_headers};
use super::error::ApiError;
use super::request_id::RequestId;
use super::{Shared, access_log};
use crate::telemetry::metrics::Request;

/// The library's own answers are shorter: a status line, the length, the date, and whether the connection closes.
const LONGEST_BYTES: usize = 256;

/// The library's refusal at the end of what it writes.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Where it begins.
    pub(super) start: usize,
    error: ApiError,
    date: String,
}

impl Refusal {
    /// Finds it. The library writes it whole, and nothing after it. Answers of this service are never taken for one: an error has a
    /// body, and a body does not end like a head.
    pub(super) fn find(written: &[u8]) -> Option<Self> {
        if !written.ends_with(b"\r\n\r\n") {
            return None;
        }
        let tail = written.len().saturating_sub(LONGEST_BYTES);
        let start = tail + written[tail..].windows(7).rposition(|bytes| bytes == b"HTTP/1.")?;
        let head = std::str::from_utf8(&written[start..]).ok()?;
        let error = match head.get("HTTP/1.1 ".len()..)?.get(..3)? {
            "400" => ApiError::NotHttp,
            "408" => ApiError::HeadTooSlow,
            "431" => ApiError::HeadTooLarge,
            _ => return None,
        };
        let date = head.lines().find_map(|line| line.strip_prefix("date: "))?.to_owned();
        head.contains("\r\ncontent-length: 0\r\n").then_some(Self { start, error, date })
    }

    /// What goes out instead, as it is counted and logged. The connection closes after it.
    pub(super) fn retell(&self, shared: &web::Data<Shared>) -> Bytes {
        let id = RequestId::random();
        let mut answer = self.error.respond(id.as_str());
        add_common_headers(answer.headers_mut(), &id, &shared.origins);
        let status = answer.status();
        let request = Request { route: OTHER, method: OTHER, status: status.as_u16() };
        shared.metrics.http_requests.get_or_create(&request).inc();
        access_log::log(&request, None, id.as_str(), None, Some(&self.error.chain()));

        let mut head = format!("HTTP/1.1 {status}\r\n").into_bytes();
        let headers = answer.headers().clone();
        // an error's body is text that is there already
        let body = answer.into_body().try_into_bytes().unwrap_or_default();
        let length = body.len().to_string();
        let of_http = [
            (&header::CONTENT_LENGTH, length.as_bytes()),
            (&header::CONNECTION, b"close".as_slice()),
            (&header::DATE, self.date.as_bytes()),
        ];
        let all = headers.iter().map(|(name, value)| (name, value.as_bytes())).chain(of_http);
        for (name, value) in all {
            for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(&body);
        head.into()
    }
}
