//! What is in force, and where it was set: for the command `beetroot-api config`. Secrets are only said to exist.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::redis_url::RedisUrl;
use super::settings::{AllowedOrigins, AllowedPrefix, ByteSize, LogFormat, Settings};

/// A value longer than this does not push the column of origins further right, in characters.
const VALUE_COLUMN_CHARS: usize = 60;

/// Settings without a fault, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// One entry for each key, in the order of `config/default.toml`.
    pub report: Vec<Entry>,
}

/// One setting that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, as `section.key`.
    pub key: &'static str,
    /// The value for people: durations with units, lists with commas, `(unset)` for nothing, `(hidden)` for a secret.
    pub value: String,
    /// Where it was set: `default.toml`, the path of a file, or `environment variable NAME`.
    pub origin: String,
}

impl Loaded {
    /// The report as lines of text in three aligned columns: key, value, origin.
    pub fn table(&self) -> String {
        let width = |text: &str| text.chars().count();
        let key_chars = self.report.iter().map(|entry| width(entry.key)).max().unwrap_or_default();
        let value_chars = self
            .report
            .iter()
            .map(|entry| width(&entry.value))
            .filter(|chars| *chars <= VALUE_COLUMN_CHARS)
            .max()
            .unwrap_or_default();
        self.report.iter().fold(String::new(), |mut table, Entry { key, value, origin }| {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{key:key_chars$}  {value:value_chars$}  {origin}");
            table
        })
    }
}

/// A value of a setting as the report shows it.
pub(super) trait Shown {
    /// Whether neither the report nor a fault may show it.
    const SECRET: bool = false;

    /// The text for the report.
    fn shown(&self) -> String;
}

impl Shown for String {
    fn shown(&self) -> String {
        if self.is_empty() { "(empty)".to_owned() } else { self.clone() }
    }
}

impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for u16 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for usize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Duration {
    fn shown(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

impl<T: Shown> Shown for Option<T> {
    const SECRET: bool = T::SECRET;

    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "(unset)".to_owned(), Shown::shown)
    }
}

impl Shown for SecretString {
    const SECRET: bool = true;

    fn shown(&self) -> String {
        if self.expose_secret().is_empty() { "(unset)" } else { "(hidden)" }.to_owned()
    }
}

/// Its password is hidden by itself; a text that is no such URL may hold one anywhere.
impl Shown for RedisUrl {
    const SECRET: bool = true;

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for ByteSize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for AllowedOrigins {
    fn shown(&self) -> String {
        match self {
            Self::Any => "*".to_owned(),
            Self::List(origins) if origins.is_empty() => "(empty)".to_owned(),
            Self::List(origins) => origins.join(", "),
        }
    }
}

impl Shown for Vec<AllowedPrefix> {
    fn shown(&self) -> String {
        let allowed: Vec<_> =
            self.iter().map(|allowed| format!("{}/{}", allowed.bucket, allowed.prefix)).collect();
        if allowed.is_empty() { "(empty)".to_owned() } else { allowed.join(", ") }
    }
}

impl Shown for LogFormat {
    fn shown(&self) -> String {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Text => "text",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_a_long_value_does_not_widen_it() {
        let entry = |key, value: &str| Entry { key, value: value.to_owned(), origin: "x".to_owned() };
        let report = vec![entry("a.b", "1"), entry("a.long_key", "ünü"), entry("c.d", &"v".repeat(61))];
        let loaded = Loaded { settings: Settings::defaults("thumbs"), report };
        let long = "v".repeat(61);
        assert_eq!(
            loaded.table(),
            format!("a.b         1    x\na.long_key  ünü  x\nc.d         {long}  x\n")
        );
    }
}
