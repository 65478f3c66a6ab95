//! Signature Version 4 for `GET` of one object, as a query string.
//!
//! Everything that repeats (key derivation, scope, host, encoded session token) is prepared once per credential, bucket
//! and day; then a URL costs one SHA-256 of the canonical request and one HMAC. The bytes are those of `aws-sdk-s3`'s
//! `get_object().presigned()`, which is the oracle in the tests.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, PoisonError, RwLock};

use aws_credential_types::Credentials;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::tz::Offset;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::endpoint::BucketEndpoint;
use crate::domain::SignedUrl;

/// What stays as it is in a query value: RFC 3986's unreserved characters.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// In a key the slash stays as well.
const OBJECT_KEY: &AsciiSet = &QUERY_VALUE.remove(b'/');
/// Buckets and days kept prepared per credential: rows name the buckets, so there could be any number of them.
const MOST_PREPARED: usize = 1024;

/// How long a SHA-256 digest is in hexadecimal digits.
const HEX_BYTES: usize = 64;
/// What percent-encoding makes of a byte at most.
const LONGEST_ESCAPE: usize = 3;
/// More than the parameters' names, the date, the lifetime and the signature of a URL take together.
const LONGEST_CONSTANTS: usize = 320;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// By bucket and day since 1970.
type PreparedSigners = HashMap<(Arc<BucketEndpoint>, i64), Arc<PreparedSigner>>;

/// Signs in the name of one set of credentials. Holds a secret: prints as its access key id only.
pub struct Signer {
    access_key_id: String,
    secret_access_key: SecretString,
    /// Percent-encoded.
    session_token: Option<SecretString>,
    expires_at: Option<Timestamp>,
    prepared: RwLock<PreparedSigners>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({}, until {:?})", self.access_key_id, self.expires_at)
    }
}

impl Signer {
    /// Takes over the credentials; an expiry beyond the year 9999 counts as none.
    pub fn new(credentials: &Credentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().into(),
            session_token: credentials.session_token().map(|token| encode(token).into()),
            expires_at: credentials.expiry().and_then(|end| Timestamp::try_from(end).ok()),
            prepared: RwLock::default(),
        }
    }

    /// When S3 stops accepting what these credentials signed; `None` for keys without an end.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// How long S3 still accepts what they sign.
    pub fn seconds_left(&self, now: Timestamp) -> i64 {
        self.expires_at.map_or(i64::MAX, |end| end.as_second() - now.as_second())
    }

    /// Whether these are the same credentials, with the same end.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let token =
            |signer: &Self| signer.session_token.as_ref().map(|token| token.expose_secret().to_owned());
        self.access_key_id == other.access_key_id
            && self.expires_at == other.expires_at
            && self.secret_access_key.expose_secret() == other.secret_access_key.expose_secret()
            && token(self) == token(other)
    }

    /// The signer for one bucket and for what is signed on the UTC day that `signed_at` is in.
    pub fn prepare(&self, endpoint: &Arc<BucketEndpoint>, signed_at: Timestamp) -> Arc<PreparedSigner> {
        let place = (Arc::clone(endpoint), day_of(signed_at));
        // a thread that panicked cannot have left half an entry behind: entries are made before they are inserted
        let known = self.prepared.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        known.unwrap_or_else(|| {
            let prepared = Arc::new(PreparedSigner::new(self, endpoint, signed_at));
            let mut known = self.prepared.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST_PREPARED {
                known.clear();
            }
            known.insert(place, Arc::clone(&prepared));
            prepared
        })
    }
}

/// What all URLs of a credential, bucket and day have in common. The names follow the canonical request's order.
pub struct PreparedSigner {
    endpoint: Arc<BucketEndpoint>,
    /// The day that the signing key is for, since 1970.
    day: i64,
    credentials_expire_at: Option<Timestamp>,
    /// An upper bound for a URL without its key, bytes: each URL is allocated once.
    longest_frame: usize,
    /// `20260131`
    date: String,
    /// HMAC-SHA-256 with the signing key of that day, region and service.
    signing_key: Hmac<Sha256>,
    /// `20260131/eu-central-1/s3/aws4_request`
    scope: String,
    /// From the algorithm to the date's name, in the canonical request and in the URL alike.
    query_to_date: String,
    /// In the canonical request, behind the lifetime: token, signed headers, overrides, host, payload.
    canonical_tail: String,
    /// In the URL, between key and algorithm: operation and overrides.
    url_overrides: String,
    /// In the URL, behind the signature: the token.
    url_tail: String,
}

impl fmt::Debug for PreparedSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PreparedSigner({}, {})", self.endpoint.origin, self.scope)
    }
}

impl PreparedSigner {
    fn new(signer: &Signer, endpoint: &Arc<BucketEndpoint>, signed_at: Timestamp) -> Self {
        let region = &endpoint.region;
        let date = basic_date(signed_at);
        let scope = format!("{date}/{region}/s3/aws4_request");
        let key_of_day = authenticate(
            &keyed(format!("AWS4{}", signer.secret_access_key.expose_secret()).as_bytes()),
            &date,
        );
        let key_of_region = authenticate(&keyed(&key_of_day), region);
        let key_of_service = authenticate(&keyed(&key_of_region), "s3");
        let signing_key = keyed(&authenticate(&keyed(&key_of_service), "aws4_request"));

        let credential = encode(&format!("{}/{scope}", signer.access_key_id));
        let token = signer
            .session_token
            .as_ref()
            .map_or_else(String::new, |token| format!("&X-Amz-Security-Token={}", token.expose_secret()));
        let overrides = &endpoint.overrides;
        Self {
            endpoint: Arc::clone(endpoint),
            day: day_of(signed_at),
            credentials_expire_at: signer.expires_at,
            longest_frame: endpoint.origin.len()
                + endpoint.path_prefix.len()
                + overrides.len()
                + credential.len()
                + token.len()
                + LONGEST_CONSTANTS,
            date,
            signing_key,
            scope,
            query_to_date: format!(
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date="
            ),
            canonical_tail: format!(
                "{token}&X-Amz-SignedHeaders=host{overrides}&x-id=GetObject\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
                endpoint.host
            ),
            url_overrides: format!("?x-id=GetObject{overrides}&"),
            url_tail: token,
        }
    }

    /// Whether `signed_at` is in the day that this is prepared for.
    pub fn covers(&self, signed_at: Timestamp) -> bool {
        day_of(signed_at) == self.day
    }

    /// Signs a `GET` of `key` that is valid from `signed_at`, a time that [`Self::covers`], for `lifetime_seconds` or as long
    /// as the credentials are, whichever is shorter; `None` when that leaves less than a second.
    pub fn sign(&self, key: &str, signed_at: Timestamp, lifetime_seconds: i64) -> Option<SignedUrl> {
        debug_assert!(self.covers(signed_at), "a signing key is for one day");
        let left = self.credentials_expire_at.map_or(i64::MAX, |end| end.as_second() - signed_at.as_second());
        let lifetime_seconds = lifetime_seconds.min(left);
        let expires_at = Timestamp::from_second(signed_at.as_second().checked_add(lifetime_seconds)?).ok()?;
        (lifetime_seconds >= 1)
            .then(|| SignedUrl::new(self.url(key, signed_at, lifetime_seconds), expires_at))
    }

    fn url(&self, key: &str, signed_at: Timestamp, lifetime_seconds: i64) -> String {
        // the URL grows from left to right, and the canonical request is made of its parts
        let mut url = String::with_capacity(self.longest_frame + key.len() * LONGEST_ESCAPE);
        url.push_str(&self.endpoint.origin);
        let path_start = url.len();
        url.push_str(&self.endpoint.path_prefix);
        url.extend(encode_key(key));
        let path_end = url.len();
        url.push_str(&self.url_overrides);
        let query_start = url.len();
        url.push_str(&self.query_to_date);
        let date_start = url.len();
        url.push_str(&self.date);
        push_time_of_day(&mut url, signed_at);
        let date_end = url.len();
        // writing to a String cannot fail
        let _ = write!(url, "&X-Amz-Expires={lifetime_seconds}");

        let request =
            ["GET\n", &url[path_start..path_end], "\n", &url[query_start..], &self.canonical_tail].concat();
        let mut request_hex = [0; HEX_BYTES];
        let request_hex = hex_of(&Sha256::digest(request), &mut request_hex);
        let to_sign =
            ["AWS4-HMAC-SHA256\n", &url[date_start..date_end], "\n", &self.scope, "\n", request_hex].concat();
        let signature = self.signing_key.clone().chain_update(to_sign).finalize().into_bytes();
        let mut signature_hex = [0; HEX_BYTES];

        url.push_str("&X-Amz-SignedHeaders=host&X-Amz-Signature=");
        url.push_str(hex_of(&signature, &mut signature_hex));
        url.push_str(&self.url_tail);
        url
    }
}

/// Percent-encodes a value in a query.
pub(super) fn encode(value: &str) -> String {
    utf8_percent_encode(value, QUERY_VALUE).to_string()
}

/// Percent-encodes an object's key in a path.
pub(super) fn encode_key(key: &str) -> PercentEncode<'_> {
    utf8_percent_encode(key, OBJECT_KEY)
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length, the signature is the trait's")]
    Hmac::new_from_slice(key).expect("HMAC takes keys of every length")
}

fn authenticate(key: &Hmac<Sha256>, message: &str) -> [u8; 32] {
    key.clone().chain_update(message).finalize().into_bytes().into()
}

/// The digits of a digest.
fn hex_of<'a>(digest: &[u8], digits: &'a mut [u8; HEX_BYTES]) -> &'a str {
    #[expect(clippy::expect_used, reason = "32 bytes are 64 digits")]
    hex::encode_to_slice(digest, digits).expect("32 bytes are 64 digits");
    // hexadecimal digits are ASCII
    str::from_utf8(digits).unwrap_or_default()
}

fn day_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SECONDS_PER_DAY)
}

/// `20260131`, the date in UTC.
fn basic_date(time: Timestamp) -> String {
    Offset::UTC.to_datetime(time).strftime("%Y%m%d").to_string()
}

/// `T235959Z`, the time in UTC to the second: with the date before it, ISO 8601's basic format.
fn push_time_of_day(text: &mut String, time: Timestamp) {
    let second = time.as_second().rem_euclid(SECONDS_PER_DAY);
    text.push('T');
    for part in [second / 3600, second / 60 % 60, second % 60] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one digit each")]
        text.extend([part / 10, part % 10].map(|digit| char::from(b'0' + digit as u8)));
    }
    text.push('Z');
}
