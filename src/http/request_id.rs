//! What tells one request from another in logs and error answers.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;

/// The header in which a request id comes and goes.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// The longest request id that is taken over from a caller.
const LONGEST_REQUEST_ID_BYTES: usize = 128;
/// Of a random one.
const RANDOM_BYTES: usize = 16;

/// The caller's, when it is harmless, else a random one. Visible ASCII, ready to be a header.
#[derive(Clone, Debug)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    pub(super) fn of(request: &HttpRequest) -> Self {
        let given = request.headers().get(REQUEST_ID);
        given.filter(|id| is_harmless(id.as_bytes())).map_or_else(Self::random, |id| Self(id.clone()))
    }

    pub(super) fn random() -> Self {
        let mut digits = [0; 2 * RANDOM_BYTES];
        // the buffer has the length that it needs, and digits are a header's characters
        let _ = hex::encode_to_slice(fastrand::u128(..).to_be_bytes(), &mut digits);
        Self(HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("none")))
    }

    pub(super) fn as_str(&self) -> &str {
        // every byte of it was looked at, or made, as ASCII
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_harmless(id: &[u8]) -> bool {
    (1..=LONGEST_REQUEST_ID_BYTES).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte))
}
