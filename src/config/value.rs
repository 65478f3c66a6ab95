//! From a value as it was found to a value of its type. A parser answers what it accepts when it refuses, and the caller
//! makes the sentence. What a value may look like depends on where it stands: files have types, variables only text.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ::config::ValueKind;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use super::fault::{Origin, quote};
use super::names;
use super::redis_url::{FORMS, RedisUrl};
use super::settings::{AllowedOrigins, AllowedPrefix, ByteSize, LogFormat};

/// The shortest cursor key that is worth its name, in bytes.
const SEAL_KEY_MIN_BYTES: usize = 16;

/// A value that is in force, before it was understood.
pub(super) struct Found {
    pub(super) value: ValueKind,
    pub(super) origin: Origin,
}

/// A value of its type, or what would have been accepted.
pub(super) type Parsed<T> = Result<T, String>;

impl Found {
    fn text(&self) -> Option<&str> {
        match &self.value {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// Files write numbers as numbers, variables as text.
    fn integer(&self) -> Option<i64> {
        match &self.value {
            ValueKind::I64(number) => Some(*number),
            ValueKind::String(text) if self.is_variable() => text.parse().ok(),
            _ => None,
        }
    }

    /// Files write arrays of strings, variables text with commas.
    fn list(&self) -> Option<Vec<&str>> {
        match &self.value {
            ValueKind::Array(values) => values
                .iter()
                .map(|value| match &value.kind {
                    ValueKind::String(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
            ValueKind::String(text) if self.is_variable() => {
                Some(if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() })
            }
            _ => None,
        }
    }

    fn is_variable(&self) -> bool {
        matches!(self.origin, Origin::Variable(_) | Origin::PlainVariable(_))
    }

    pub(super) fn is_empty_text(&self) -> bool {
        self.text() == Some("")
    }
}

/// `None` for an empty text: the way to say «not set» in a layer above one that set it.
pub(super) fn optional<T>(found: &Found, parse: impl FnOnce(&Found) -> Parsed<T>) -> Parsed<Option<T>> {
    if found.is_empty_text() { Ok(None) } else { parse(found).map(Some) }
}

/// A whole number within limits.
pub(super) fn number<T>(found: &Found, limits: RangeInclusive<T>) -> Parsed<T>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    let number = found.integer().and_then(|number| T::try_from(number).ok());
    number.filter(|number| limits.contains(number)).ok_or_else(|| {
        let quotes = if found.is_variable() { "" } else { " without quotes" };
        format!("a whole number{quotes}, {} to {}", limits.start(), limits.end())
    })
}

/// On or off.
pub(super) fn switch(found: &Found) -> Parsed<bool> {
    let value = match &found.value {
        ValueKind::Boolean(value) => Some(*value),
        ValueKind::String(text) if found.is_variable() => text.parse().ok(),
        _ => None,
    };
    value.ok_or_else(|| format!("true or false{}", if found.is_variable() { "" } else { ", without quotes" }))
}

/// A time span within limits: with a unit, or plain seconds in a variable with a name of its own.
pub(super) fn duration(found: &Found, limits: RangeInclusive<Duration>) -> Parsed<Duration> {
    let text = found.text().unwrap_or_default();
    let is_bare = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (min, max) = limits.clone().into_inner();
    let (duration, accepted) = if matches!(found.origin, Origin::PlainVariable(_)) {
        let seconds = text.parse().ok().filter(|_| is_bare(text));
        let accepted =
            format!("seconds as a plain number without a unit, {} to {}", min.as_secs(), max.as_secs());
        (seconds.map(Duration::from_secs), accepted)
    } else {
        // humantime takes a bare 0.
        let duration = humantime::parse_duration(text).ok().filter(|_| !is_bare(text));
        let bare =
            if found.integer().is_some() || is_bare(text) { " (a bare number has no unit)" } else { "" };
        let (min, max) = (humantime::format_duration(min), humantime::format_duration(max));
        let accepted =
            format!("a duration with a unit such as \"500ms\", \"5s\" or \"2m\", {min} to {max}{bare}");
        (duration, accepted)
    };
    duration.filter(|duration| limits.contains(duration)).ok_or(accepted)
}

/// A time span of whole seconds within limits.
pub(super) fn whole_seconds(found: &Found, limits: RangeInclusive<Duration>) -> Parsed<Duration> {
    let duration = duration(found, limits)?;
    if duration.subsec_nanos() == 0 {
        Ok(duration)
    } else {
        Err("a duration of whole seconds, such as \"5s\"".to_owned())
    }
}

/// A text that satisfies a rule, which `accepted` says in words.
fn text_that(found: &Found, is_legal: impl FnOnce(&str) -> bool, accepted: &str) -> Parsed<String> {
    found.text().filter(|text| is_legal(text)).map(str::to_owned).ok_or_else(|| accepted.to_owned())
}

/// The name of an S3 bucket.
pub(super) fn bucket(found: &Found) -> Parsed<String> {
    text_that(
        found,
        names::is_bucket,
        "the name of an S3 bucket: 3 to 63 lower case letters, digits, dots and hyphens, which begins and ends with a \
         letter or digit",
    )
}

/// A DynamoDB table.
pub(super) fn table(found: &Found) -> Parsed<String> {
    text_that(
        found,
        names::is_table,
        "the name of a table: 3 to 255 letters, digits, _, . and -; or the ARN of a table",
    )
}

/// An address to listen on.
pub(super) fn host(found: &Found) -> Parsed<String> {
    text_that(found, names::is_host, "an IP address such as 0.0.0.0 or :: (without brackets), or a host name")
}

/// An AWS region.
pub(super) fn region(found: &Found) -> Parsed<String> {
    text_that(found, names::is_region, "the name of a region, such as eu-central-1; empty is unset")
}

/// An address of S3 or DynamoDB.
pub(super) fn endpoint(found: &Found) -> Parsed<String> {
    found.text().and_then(names::parse_endpoint).ok_or_else(|| {
        "an http:// or https:// URL without user, query and fragment, such as http://localhost:8000; empty is unset"
            .to_owned()
    })
}

/// The origins that may read answers. In a file `*` may stand alone as a string.
pub(super) fn allowed_origins(found: &Found) -> Parsed<AllowedOrigins> {
    let accepted = if found.is_variable() {
        "* alone, or origins scheme://host[:port] with commas between them"
    } else {
        "\"*\", or an array of origins \"scheme://host[:port]\""
    };
    if found.text() == Some("*") {
        return Ok(AllowedOrigins::Any);
    }
    match found.list() {
        Some(items) if items == ["*"] => Ok(AllowedOrigins::Any),
        items => parse_items(items, names::parse_origin, accepted).map(AllowedOrigins::List),
    }
}

/// What may be signed.
pub(super) fn allowed_prefixes(found: &Found) -> Parsed<Vec<AllowedPrefix>> {
    let accepted = if found.is_variable() {
        "bucket/prefix (or bucket/ for all of it) with commas between them"
    } else {
        "an array of \"bucket/prefix\" (or \"bucket/\" for all of it)"
    };
    parse_items(found.list(), names::parse_allowed_prefix, accepted)
}

fn parse_items<T>(
    items: Option<Vec<&str>>,
    parse: impl Fn(&str) -> Option<T>,
    accepted: &str,
) -> Parsed<Vec<T>> {
    let items = items.ok_or(accepted)?;
    items
        .into_iter()
        .map(|item| parse(item).ok_or_else(|| format!("{accepted}; {} is not one", quote(item))))
        .collect()
}

/// A template of a header value. Braces other than the placeholder's are a mistyped placeholder.
pub(super) fn header_template(found: &Found) -> Parsed<String> {
    let is_legal = |text: &str| {
        text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
            && !text.replace("{expires}", "").contains(['{', '}'])
    };
    text_that(
        found,
        is_legal,
        "a Cache-Control value of visible ASCII characters and spaces, in which only {expires} may stand in braces; \
         empty is off",
    )
}

/// A key that signs cursors; empty is the built-in one.
pub(super) fn seal_key(found: &Found) -> Parsed<SecretString> {
    let is_legal = |text: &str| text.is_empty() || text.len() >= SEAL_KEY_MIN_BYTES;
    text_that(
        found,
        is_legal,
        "a text of at least 16 bytes, the same on all instances; empty is the built-in key",
    )
    .map(SecretString::from)
}

/// Where Redis is.
pub(super) fn redis_url(found: &Found) -> Parsed<RedisUrl> {
    RedisUrl::parse(found.text().unwrap_or_default())
        .map_err(|reason| format!("{FORMS}; what was found: {reason}"))
}

/// A password; empty is none.
pub(super) fn password(found: &Found) -> Parsed<SecretString> {
    text_that(found, |_| true, "a text; empty is none").map(SecretString::from)
}

/// The path of a file.
pub(super) fn path(found: &Found) -> Parsed<PathBuf> {
    text_that(found, |text| !text.contains('\0'), "the path of a file; empty is none").map(PathBuf::from)
}

/// What cache keys begin with.
pub(super) fn namespace(found: &Found) -> Parsed<String> {
    text_that(found, names::is_redis_name, "1 to 64 letters, digits, _, . and -")
}

/// A number of bytes of at least `min`: plain, or with a unit.
pub(super) fn byte_size(found: &Found, min: ByteSize) -> Parsed<ByteSize> {
    let parse = |text: &str| -> Option<usize> {
        let (number, unit_bytes) = ByteSize::UNITS
            .into_iter()
            .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)))
            .unwrap_or((text, 1));
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse::<usize>().ok().filter(|_| is_number)?.checked_mul(unit_bytes)
    };
    let bytes = match found.integer() {
        Some(number) => usize::try_from(number).ok(),
        None => found.text().and_then(parse),
    };
    bytes.map(ByteSize).filter(|size| *size >= min).ok_or_else(|| {
        format!("bytes, plain or with a unit such as \"512KiB\", \"64MiB\" or \"1GiB\", at least {min}")
    })
}

/// How a line of the log looks.
pub(super) fn log_format(found: &Found) -> Parsed<LogFormat> {
    match found.text() {
        Some("auto") => Ok(LogFormat::Auto),
        Some("json") => Ok(LogFormat::Json),
        Some("text") => Ok(LogFormat::Text),
        _ => Err("auto, json or text".to_owned()),
    }
}

/// Filter directives of `tracing-subscriber`.
pub(super) fn log_filter(found: &Found) -> Parsed<String> {
    text_that(
        found,
        |text| !text.trim().is_empty() && EnvFilter::try_new(text).is_ok(),
        "filter directives, such as info or info,beetroot_api=debug; off is silence",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_true_or_false_and_nothing_like_it() {
        let in_file = |value| switch(&Found { value, origin: Origin::BuiltIn });
        let variable = |text: &str| {
            let origin = Origin::Variable("X".to_owned());
            switch(&Found { value: ValueKind::String(text.to_owned()), origin })
        };
        assert_eq!((variable("true"), variable("false")), (Ok(true), Ok(false)));
        for illegal in ["", "1", "yes", "on", "True", " true"] {
            assert!(variable(illegal).is_err(), "{illegal}");
        }
        assert_eq!(in_file(ValueKind::Boolean(true)), Ok(true));
        assert!(in_file(ValueKind::String("true".to_owned())).is_err());
        assert!(in_file(ValueKind::I64(1)).is_err());
    }

    #[test]
    fn sizes_are_plain_bytes_or_carry_a_unit() {
        let parse = |text: &str| {
            let origin = Origin::Variable("X".to_owned());
            byte_size(&Found { value: ValueKind::String(text.to_owned()), origin }, ByteSize(1024)).ok()
        };
        for (text, bytes, shown) in [
            ("1024", 1 << 10, "1KiB"),
            ("1025", 1025, "1025"),
            ("512KiB", 1 << 19, "512KiB"),
            ("3GiB", 3 << 30, "3GiB"),
        ] {
            let size = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown));
        }
        for illegal in ["", "1023", "1MB", "MiB", "-1", "+2KiB", "1.5GiB", "99999999999GiB", "64 MiB"] {
            assert_eq!(parse(illegal), None, "{illegal}");
        }
    }
}
