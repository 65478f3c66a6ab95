//! What is wrong with the settings, as sentences for the operator. No sentence holds a secret.

use std::fmt;

use ::config::ValueKind;

/// Text longer than this is cut where a fault quotes it, in characters.
const QUOTE_CHARS: usize = 120;

/// All that is wrong with the settings, found in one pass. `Display` tells them to an operator: their count, then one
/// line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub(super) Vec<String>);

impl Faults {
    /// The sentences, in the order of the settings, unknown keys last.
    pub fn sentences(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "1 fault in the settings:")?,
            count => write!(f, "{count} faults in the settings:")?,
        }
        self.0.iter().try_for_each(|sentence| write!(f, "\n  {sentence}"))
    }
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The compiled-in `config/default.toml`.
    BuiltIn,
    /// A file, by its path.
    File(String),
    /// A variable `BEETROOT__SECTION__KEY`.
    Variable(String),
    /// A variable with a name of its own, such as `PORT`.
    PlainVariable(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("default.toml"),
            Self::File(path) => f.write_str(path),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::PlainVariable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// A value as a fault shows it.
pub(super) fn quote_value(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => quote(text),
        ValueKind::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| quote_value(&value.kind)).collect();
            shorten(&format!("[{}]", values.join(", ")))
        }
        ValueKind::Table(_) => "a table".to_owned(),
        other => other.to_string(),
    }
}

/// A text as a fault shows it: control characters escaped, cut when long, and nothing of a text with an `@`, because
/// what stands before it in a URL may be a password.
pub(super) fn quote(text: &str) -> String {
    if text.contains('@') {
        return "(hidden: before an @ there may be a password)".to_owned();
    }
    shorten(&format!("{text:?}"))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The sentence about a key that no setting has; `known` are the keys that exist.
pub(super) fn unknown_key(key: &str, origin: &Origin, known: &[String]) -> String {
    let in_its_form = |key: &str| match origin {
        Origin::Variable(_) => format!("BEETROOT__{}", key.to_uppercase().replace('.', "__")),
        _ => key.to_owned(),
    };
    let subject = match origin {
        Origin::Variable(_) => origin.to_string(),
        _ => format!("{} ({origin})", key.escape_debug()),
    };
    let first_of_section = known.iter().find(|known| known.starts_with(&format!("{key}.")));
    if let Some(first) = first_of_section {
        return format!(
            "{subject}: this is a section, and its keys hold the values, such as {}",
            in_its_form(first)
        );
    }
    match nearest(key, known) {
        Some(near) => format!("{subject}: unknown key; did you mean {}?", in_its_form(near)),
        None => format!("{subject}: unknown key; config/default.toml explains all that exist"),
    }
}

/// The known key that was probably meant: the same key in another section, or a few slips of the finger away.
fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    if let Some(same) = known.iter().find(|known| last(known) == last(key)) {
        return Some(same);
    }
    // A long text is no slip of the finger, and its distance to every key would cost time.
    if key.len() > 100 {
        return None;
    }
    known
        .iter()
        .map(|known| (edit_distance(&key.to_lowercase(), known), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= known.len() / 4)
        .map(|(_, known)| known)
}

/// Levenshtein's distance: insertions, deletions and substitutions that lead from one text to the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, from_char) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to_char) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(from_char != *to_char);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<String> {
        ["presign.expires", "presign.margin", "server.host", "server.port"].map(str::to_owned).to_vec()
    }

    #[test]
    fn an_unknown_key_is_told_with_the_one_that_was_meant() {
        let file = Origin::File("x.toml".to_owned());
        let variable = |name: &str| Origin::Variable(name.to_owned());
        for (key, origin, sentence) in [
            ("server.hots", &file, "server.hots (x.toml): unknown key; did you mean server.host?"),
            ("Server.Host", &file, "Server.Host (x.toml): unknown key; did you mean server.host?"),
            ("expires", &file, "expires (x.toml): unknown key; did you mean presign.expires?"),
            ("log.port", &file, "log.port (x.toml): unknown key; did you mean server.port?"),
            ("a.b", &file, "a.b (x.toml): unknown key; config/default.toml explains all that exist"),
            (
                "server",
                &file,
                "server (x.toml): this is a section, and its keys hold the values, such as server.host",
            ),
            (
                "port",
                &variable("BEETROOT__PORT"),
                "environment variable BEETROOT__PORT: unknown key; did you mean BEETROOT__SERVER__PORT?",
            ),
        ] {
            assert_eq!(unknown_key(key, origin, &known()), sentence);
        }
    }

    #[test]
    fn the_edit_distance_counts_single_changes() {
        for (from, to, distance) in
            [("", "abc", 3), ("host", "host", 0), ("hots", "host", 2), ("kitten", "sitting", 3)]
        {
            assert_eq!(edit_distance(from, to), distance);
        }
    }

    #[test]
    fn quoted_text_is_escaped_and_short_and_holds_no_password() {
        assert_eq!(quote("a\n\"b\""), r#""a\n\"b\"""#);
        assert_eq!(quote(&"x".repeat(500)).chars().count(), QUOTE_CHARS + 1);
        assert!(!quote("http://user:hunter2@host").contains("hunter2"));
    }
}
