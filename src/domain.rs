//! The words of the domain: persons, photos, objects, signed URLs. No input or output happens here.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// The longest identifier that can be a DynamoDB partition key, in bytes.
const LONGEST_ID_BYTES: usize = 2048;
/// The longest key of an S3 object, in bytes of UTF-8.
const LONGEST_OBJECT_KEY_BYTES: usize = 1024;

/// Whose photos: one path segment of a request, 1 to 2,048 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PersonId(Box<str>);

/// Why a text is not a [`PersonId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonIdError {
    /// More than DynamoDB takes for a key.
    #[error("personId: found {0} bytes, accepted are 1 to 2048")]
    Length(usize),
    /// NUL, line feed, DEL and the like.
    #[error("personId: control characters are not accepted")]
    ControlCharacter,
    /// The percent-decoded bytes are not text.
    #[error("personId: the percent-decoded bytes are not valid UTF-8")]
    NotUtf8,
}

impl PersonId {
    /// How long it may be, in bytes.
    pub const LONGEST_BYTES: usize = LONGEST_ID_BYTES;

    /// Takes what a client sent, already percent-decoded.
    pub fn parse(bytes: &[u8]) -> Result<Self, PersonIdError> {
        if bytes.is_empty() || bytes.len() > LONGEST_ID_BYTES {
            return Err(PersonIdError::Length(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PersonIdError::NotUtf8)?;
        if text.chars().any(char::is_control) {
            return Err(PersonIdError::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// Takes the key of a row; `None` for the empty text, which names nobody.
    pub fn from_row(text: String) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into_boxed_str()))
    }

    /// The identifier as it stands in the tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which photo: a key that the `Photos` table could hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct PhotoId(String);

impl PhotoId {
    /// Takes what a row holds; `None` for the empty text, which names nothing.
    pub fn from_row(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// The identifier as it stands in the tables.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a table can hold it as a key. Asking DynamoDB for a longer one fails the whole batch it is in.
    pub fn can_be_a_key(&self) -> bool {
        self.0.len() <= LONGEST_ID_BYTES
    }
}

/// How many photos a person has: whole where DynamoDB's number is whole, else the nearest double.
#[derive(Clone, Copy, Debug)]
pub enum PhotoCount {
    /// A whole number; DynamoDB keeps 38 digits, which fit.
    Whole(i128),
    /// A fraction, or a whole number beyond 38 digits. Always finite.
    Fractional(f64),
}

impl PhotoCount {
    /// What stands for a missing or odd count.
    pub const ZERO: Self = Self::Whole(0);

    /// Reads DynamoDB's decimal notation (`2`, `2.50`, `1E+2`); `None` when it is no number.
    pub fn parse(decimal: &str) -> Option<Self> {
        let value: f64 = decimal.parse().ok().filter(|value: &f64| value.is_finite())?;
        Some(parse_whole(decimal).map_or(Self::Fractional(value), Self::Whole))
    }

    /// The value as a double: exact below 2^53, else the nearest.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ranking needs the nearest double; equal doubles are told apart by the whole part"
    )]
    fn nearest(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Fractional(value) => value,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float-to-integer cast saturates, which keeps the order"
    )]
    fn whole_part(self) -> i128 {
        match self {
            Self::Whole(whole) => whole,
            Self::Fractional(value) => value as i128,
        }
    }
}

/// Reads a decimal with an exponent when its value is whole and fits.
fn parse_whole(decimal: &str) -> Option<i128> {
    let (mantissa, exponent) = match decimal.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (decimal, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let magnitude = if digits.bytes().all(|digit| digit == b'0') {
        0
    } else if shift >= 0 {
        digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        let dropped = usize::try_from(shift.unsigned_abs()).ok()?;
        let kept = digits.len().checked_sub(dropped)?;
        let (kept, rest) = digits.split_at(kept);
        if rest.bytes().any(|digit| digit != b'0') {
            return None;
        }
        if kept.is_empty() { 0 } else { kept.parse::<i128>().ok()? }
    };
    Some(if negative { -magnitude } else { magnitude })
}

// A total order over both forms: by the nearest double first, then by the whole part. Comparing whole numbers exactly
// but mixed ones as doubles would not be transitive above 2^53, and a sort with such an order may panic.
impl Ord for PhotoCount {
    fn cmp(&self, other: &Self) -> Ordering {
        // the same order for whole numbers, which nearly all counts are, and quicker
        if let (Self::Whole(left), Self::Whole(right)) = (self, other) {
            return left.cmp(right);
        }
        // adding 0.0 turns -0.0 into 0.0, which `total_cmp` would tell apart
        (self.nearest() + 0.0)
            .total_cmp(&(other.nearest() + 0.0))
            .then_with(|| self.whole_part().cmp(&other.whole_part()))
    }
}
impl PartialOrd for PhotoCount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for PhotoCount {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for PhotoCount {}

impl Serialize for PhotoCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Whole(whole) => serializer.serialize_i128(whole),
            Self::Fractional(value) => serializer.serialize_f64(value),
        }
    }
}

/// An object in S3 whose URL may be handed out: it exists only after an [`AllowList`] let it pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    bucket: String,
    key: String,
}

impl ObjectRef {
    /// The bucket's name: letters, digits, `.`, `-` and `_` only, so that it cannot change a URL's host.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object's key: 1 to 1,024 bytes, without a `.` or `..` segment.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Why an object gets no URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// S3 has no such bucket name.
    #[error("the bucket's name is not one that S3 accepts")]
    BucketName,
    /// Directory buckets (`…--x-s3`) want a session of their own, which presigned URLs cannot carry for long.
    #[error("directory buckets are not supported")]
    DirectoryBucket,
    /// Longer than 1,024 bytes.
    #[error("the key is longer than S3 accepts")]
    KeyLength,
    /// A `.` or `..` segment, which a browser folds away before it sends the request.
    #[error("the key has a segment that browsers fold")]
    DotSegment,
    /// Outside `presign.allow`.
    #[error("bucket and key are outside of presign.allow")]
    NotAllowed,
}

impl Refusal {
    /// The word for it in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::BucketName => "bucket_name",
            Self::DirectoryBucket => "directory_bucket",
            Self::KeyLength => "key_length",
            Self::DotSegment => "dot_segment",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// Which objects a row may name, so that a row in a table cannot make the service sign whatever its role can read.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    /// Pairs of bucket and prefix of the key; none allows everything.
    prefixes: Vec<(String, String)>,
}

impl AllowList {
    /// Allows the keys that start with one of these prefixes in its bucket; no pairs at all allow everything.
    pub fn new(prefixes: Vec<(String, String)>) -> Self {
        Self { prefixes }
    }

    /// The one way to an [`ObjectRef`].
    pub fn object(&self, bucket: &str, key: &str) -> Result<ObjectRef, Refusal> {
        let name_fits = (3..=255).contains(&bucket.len())
            && bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            && bucket.starts_with(|first: char| first.is_ascii_alphanumeric())
            && bucket.ends_with(|last: char| last.is_ascii_alphanumeric());
        if !name_fits {
            return Err(Refusal::BucketName);
        }
        if bucket.ends_with("--x-s3") {
            return Err(Refusal::DirectoryBucket);
        }
        if key.is_empty() || key.len() > LONGEST_OBJECT_KEY_BYTES {
            return Err(Refusal::KeyLength);
        }
        if key.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(Refusal::DotSegment);
        }
        let allowed = self.prefixes.is_empty()
            || self.prefixes.iter().any(|(of, prefix)| of == bucket && key.starts_with(prefix.as_str()));
        if !allowed {
            return Err(Refusal::NotAllowed);
        }
        Ok(ObjectRef { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// A presigned URL: whoever holds it may read the object until it expires, so it prints without its query.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    url: Arc<str>,
    expires_at: Timestamp,
}

impl SignedUrl {
    /// A URL and the second from which S3 refuses it.
    pub fn new(url: impl Into<Arc<str>>, expires_at: Timestamp) -> Self {
        Self { url: url.into(), expires_at }
    }

    /// The secret itself, for the answer to the client.
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// The second from which S3 refuses it.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.url.split('?').next().unwrap_or_default();
        write!(formatter, "SignedUrl({object}, until {})", self.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(decimal: &str) -> String {
        serde_json::to_string(&PhotoCount::parse(decimal).unwrap()).unwrap()
    }

    #[test]
    fn a_count_is_an_integer_when_it_is_whole() {
        for (decimal, expected) in [
            ("2", "2"),
            ("2.0", "2"),
            ("2.50", "2.5"),
            ("1E+2", "100"),
            ("1.5e1", "15"),
            ("150e-1", "15"),
            ("-3", "-3"),
            ("-0", "0"),
            ("0.000", "0"),
            ("0E-130", "0"),
            ("1e-130", "1e-130"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert_eq!(json(decimal), expected, "{decimal}");
        }
        // beyond 38 digits the nearest double, in whichever notation
        assert_eq!(json("1e125").parse::<f64>().unwrap().to_bits(), 1e125_f64.to_bits());
    }

    #[test]
    fn what_is_no_number_is_no_count() {
        for text in ["", "many", "NaN", "inf", "-inf", "1e999", "0x10"] {
            assert!(PhotoCount::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn counts_have_a_total_order(mut counts in proptest::collection::vec(
            prop_oneof![any::<i64>().prop_map(|n| n.to_string()), any::<f64>().prop_map(|n| n.to_string()),
                (9_007_199_254_740_990_i64..9_007_199_254_740_999).prop_map(|n| format!("{n}.5"))], 0..60)) {
            counts.retain(|text| PhotoCount::parse(text).is_some());
            let mut sorted: Vec<_> = counts.iter().map(|text| PhotoCount::parse(text).unwrap()).collect();
            sorted.sort();
            for pair in sorted.windows(2) {
                prop_assert!(pair[0] <= pair[1] && pair[0].nearest() <= pair[1].nearest());
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".*") {
            let _ = PhotoCount::parse(&text);
            let _ = PersonId::parse(text.as_bytes());
            let _ = AllowList::default().object(&text, &text);
        }

        #[test]
        fn whole_numbers_keep_every_digit(number in any::<i64>(), exponent in 0_u32..15) {
            let whole = i128::from(number) * 10_i128.pow(exponent);
            prop_assert_eq!(json(&format!("{number}e{exponent}")), whole.to_string());
            prop_assert_eq!(json(&format!("{whole}.000")), whole.to_string());
        }
    }

    #[test]
    fn a_person_id_is_one_to_2048_bytes_without_control_characters() {
        assert_eq!(PersonId::parse(b"").unwrap_err(), PersonIdError::Length(0));
        assert!(PersonId::parse(&[b'a'; 2048]).is_ok());
        assert_eq!(PersonId::parse(&[b'a'; 2049]).unwrap_err(), PersonIdError::Length(2049));
        assert_eq!(PersonId::parse(b"a\x00b").unwrap_err(), PersonIdError::ControlCharacter);
        assert_eq!(PersonId::parse("a\u{85}b".as_bytes()).unwrap_err(), PersonIdError::ControlCharacter);
        assert_eq!(PersonId::parse(b"\xff").unwrap_err(), PersonIdError::NotUtf8);
        assert_eq!(PersonId::parse("Zoë / 1".as_bytes()).unwrap().as_str(), "Zoë / 1");
    }

    #[test]
    fn objects_that_must_not_be_signed_are_refused() {
        let all = AllowList::default();
        for (bucket, key, refusal) in [
            ("evil.example/x?", "k", Refusal::BucketName),
            ("a@b", "k", Refusal::BucketName),
            ("..", "k", Refusal::BucketName),
            ("...", "k", Refusal::BucketName),
            ("", "k", Refusal::BucketName),
            ("x--use1-az4--x-s3", "k", Refusal::DirectoryBucket),
            ("bucket", "", Refusal::KeyLength),
            ("bucket", "a/../b", Refusal::DotSegment),
            ("bucket", "./b", Refusal::DotSegment),
            ("bucket", "a/..", Refusal::DotSegment),
            ("bucket", ".", Refusal::DotSegment),
        ] {
            assert_eq!(all.object(bucket, key).unwrap_err(), refusal, "{bucket} {key}");
        }
        assert_eq!(all.object("bucket", &"k".repeat(1025)).unwrap_err(), Refusal::KeyLength);
        for key in ["a..b", "...", "a/.b", "//", "é ?#%2e%2e", &"k".repeat(1024)] {
            assert!(all.object("my.bucket-1", key).is_ok(), "{key}");
        }
    }

    #[test]
    fn an_allow_list_lets_nothing_else_pass() {
        let list =
            AllowList::new(vec![("raw".into(), "photos-raw/".into()), ("thumbs".into(), String::new())]);
        assert!(list.object("raw", "photos-raw/1.jpg").is_ok());
        assert!(list.object("thumbs", "anything").is_ok());
        assert_eq!(list.object("raw", "secrets/1").unwrap_err(), Refusal::NotAllowed);
        assert_eq!(list.object("other", "photos-raw/1.jpg").unwrap_err(), Refusal::NotAllowed);
    }

    #[test]
    fn a_signed_url_prints_without_its_secret() {
        let url = SignedUrl::new("https://b.example/k?X-Amz-Signature=abc", Timestamp::UNIX_EPOCH);
        assert_eq!(format!("{url:?}"), "SignedUrl(https://b.example/k, until 1970-01-01T00:00:00Z)");
    }
}
