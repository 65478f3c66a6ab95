//! Whether a text that somebody gave us is a signed URL of the object that we asked for.
//!
//! Whoever can write to Redis must not be able to make the service hand out a foreign URL, so the whole text must have exactly
//! the form that our own signer gives it, up to the values that differ between signers and times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::endpoint::BucketEndpoint;
use super::signer::encode_key;
use crate::domain::SignedUrl;

/// How far another instance's clock may be ahead, seconds. S3 itself accepts 15 minutes.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Longer than any: a key of 1,024 bytes, each escaped, and a session token of the most that AWS gives, escaped as well.
const LONGEST_URL_BYTES: usize = 32 << 10;

/// Why a text was refused; one word each, for the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Not UTF-8.
    NotText,
    /// Another host, bucket or key, or no URL at all.
    OtherObject,
    /// The object is right and the rest is not what our signer writes.
    Form,
    /// Signed in the future, or for longer than the settings allow.
    Time,
}

impl Flaw {
    pub(super) const ALL: [Self; 4] = [Self::NotText, Self::OtherObject, Self::Form, Self::Time];

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::NotText => "not_text",
            Self::OtherObject => "other_object",
            Self::Form => "form",
            Self::Time => "time",
        }
    }
}

/// Takes the URL apart from left to right; gives it with the time at which it was signed.
pub(super) fn check(
    text: &[u8],
    endpoint: &BucketEndpoint,
    key: &str,
    longest_life_seconds: i64,
    now: Timestamp,
) -> Result<(SignedUrl, Timestamp), Flaw> {
    if text.len() > LONGEST_URL_BYTES {
        return Err(Flaw::Form);
    }
    let text = std::str::from_utf8(text).map_err(|_| Flaw::NotText)?;
    let query = after_key(text, endpoint, key).ok_or(Flaw::OtherObject)?;
    let (signed_at, lifetime) = read_query(query, endpoint).ok_or(Flaw::Form)?;
    let plausible = (1..=longest_life_seconds).contains(&lifetime)
        && signed_at.as_second() <= now.as_second() + CLOCK_SKEW_SECONDS;
    if !plausible {
        return Err(Flaw::Time);
    }
    let expires_at = Timestamp::from_second(signed_at.as_second() + lifetime).map_err(|_| Flaw::Time)?;
    Ok((SignedUrl::new(text, expires_at), signed_at))
}

fn after_key<'a>(text: &'a str, endpoint: &BucketEndpoint, key: &str) -> Option<&'a str> {
    let mut rest = text.strip_prefix(&endpoint.origin)?.strip_prefix(&endpoint.path_prefix)?;
    for part in encode_key(key) {
        rest = rest.strip_prefix(part)?;
    }
    rest.strip_prefix('?')
}

/// The time of signing and the lifetime in seconds; `None` for any other form.
fn read_query(query: &str, endpoint: &BucketEndpoint) -> Option<(Timestamp, i64)> {
    let rest = query.strip_prefix("x-id=GetObject")?.strip_prefix(&endpoint.overrides)?;
    let rest = rest.strip_prefix("&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=")?;
    let (credential, rest) = rest.split_once("&X-Amz-Date=")?;
    let (date, rest) = rest.split_once("&X-Amz-Expires=")?;
    let (lifetime, rest) = rest.split_once("&X-Amz-SignedHeaders=host&X-Amz-Signature=")?;
    let (signature, token) = rest
        .split_once("&X-Amz-Security-Token=")
        .map_or((rest, None), |(signature, token)| (signature, Some(token)));

    let scope = format!("%2F{}%2F{}%2Fs3%2Faws4_request", date.get(..8)?, endpoint.region);
    let access_key_id = credential.strip_suffix(&scope)?;
    let is_signature =
        signature.len() == 64 && signature.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let fits = is_encoded(access_key_id) && is_signature && token.is_none_or(is_encoded);
    // digits only: `parse` would take a sign
    let digits = lifetime.bytes().all(|byte| byte.is_ascii_digit()).then_some(lifetime)?;
    let lifetime = digits.parse().ok().filter(|_| !digits.starts_with('0'))?;
    let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok().filter(|_| date.len() == 16)?;
    fits.then_some((Offset::UTC.to_timestamp(signed_at).ok()?, lifetime))
}

/// Whether it is a value as our encoder writes it; not empty.
fn is_encoded(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_credential_types::Credentials;
    use proptest::prelude::*;

    use super::super::signer::Signer;
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn endpoint(bucket: &str) -> Arc<BucketEndpoint> {
        let host = format!("{bucket}.s3.eu-central-1.amazonaws.com");
        Arc::new(BucketEndpoint {
            origin: format!("https://{host}"),
            host,
            path_prefix: "/".into(),
            region: "eu-central-1".into(),
            overrides: "&response-cache-control=private".into(),
            fingerprint: String::new(),
        })
    }

    fn signed(key: &str, token: Option<&str>) -> String {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", token.map(str::to_owned), None, "test");
        let at = Timestamp::from_second(NOW - 100).unwrap();
        Signer::new(&credentials)
            .prepare(&endpoint("bucket"), at)
            .sign(key, at, 3600)
            .unwrap()
            .expose()
            .to_owned()
    }

    fn check_at(text: &[u8], key: &str, now: i64) -> Result<(SignedUrl, Timestamp), Flaw> {
        check(text, &endpoint("bucket"), key, 3600, Timestamp::from_second(now).unwrap())
    }

    proptest! {
        #[test]
        fn what_a_signer_signs_is_accepted_for_its_object_only(key in "[ -~é/]{1,40}", other in "[ -~é/]{1,40}", token in proptest::option::of("[A-Za-z0-9/+=]{1,99}")) {
            let url = signed(&key, token.as_deref());
            let (checked, signed_at) = check_at(url.as_bytes(), &key, NOW).unwrap();
            prop_assert_eq!(checked.expose(), url.as_str());
            prop_assert_eq!(signed_at.as_second(), NOW - 100);
            prop_assert_eq!(checked.expires_at().as_second(), NOW + 3500);
            if key != other {
                prop_assert_eq!(check_at(url.as_bytes(), &other, NOW).unwrap_err(), Flaw::OtherObject);
            }
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(check_at(&bytes, "key", NOW).is_err());
        }

        #[test]
        fn a_url_with_anything_put_into_it_is_refused_or_still_of_its_object(at in 0_usize..600, insert in "[ -~é\u{0}\n]{1,4}") {
            let mut url = signed("a/key.jpg", Some("tok/en"));
            let at = at % url.len();
            url.insert_str(at, &insert);
            if let Ok((checked, _)) = check_at(url.as_bytes(), "a/key.jpg", NOW) {
                // a longer access key id or token: S3 refuses it, and it shows nothing else
                prop_assert!(checked.expose().starts_with("https://bucket.s3.eu-central-1.amazonaws.com/a/key.jpg?x-id=GetObject&response-cache-control=private&X-Amz-Algorithm"));
                prop_assert!(insert.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            }
        }
    }

    #[test]
    fn each_flaw_has_its_name() {
        let good = signed("key", None);
        let changed = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            good.replacen(from, to, 1)
        };
        for (text, flaw) in [
            (String::new(), Flaw::OtherObject),
            ("garbage".into(), Flaw::OtherObject),
            (changed("https://", "http://"), Flaw::OtherObject),
            (changed("bucket.s3", "bucket.evil"), Flaw::OtherObject),
            (changed("https://", "https://evil.example@"), Flaw::OtherObject),
            (changed("/key?", "/kez?"), Flaw::OtherObject),
            (changed("/key?", "/key/../other?"), Flaw::OtherObject),
            (changed("private", "public"), Flaw::Form),
            (changed("eu-central-1%2Fs3", "eu-central-2%2Fs3"), Flaw::Form),
            (changed("X-Amz-Expires=3600", "X-Amz-Expires=+360"), Flaw::Form),
            (changed("X-Amz-Expires=3600", "X-Amz-Expires=99999999999999999999"), Flaw::Form),
            (changed("X-Amz-Expires=3600", "X-Amz-Expires=0"), Flaw::Form),
            (changed("X-Amz-Expires=3600", "X-Amz-Expires=3601"), Flaw::Time),
            (changed("&X-Amz-Signature=", "&X-Amz-Signature=0"), Flaw::Form),
            (format!("{good}&response-content-type=text%2Fhtml"), Flaw::Form),
            (format!("{good}#fragment"), Flaw::Form),
            (format!("{good}\n"), Flaw::Form),
        ] {
            assert_eq!(check_at(text.as_bytes(), "key", NOW).unwrap_err(), flaw, "{text}");
        }
        assert_eq!(check_at(b"\xff\xfe", "key", NOW).unwrap_err(), Flaw::NotText);
        assert_eq!(
            check_at(good.as_bytes(), "key", NOW - 1000).unwrap_err(),
            Flaw::Time,
            "signed in the future"
        );
        assert!(check_at(good.as_bytes(), "key", NOW - 300).is_ok(), "a clock may be off by minutes");
    }
}
