//! What was found, as lines for people and as one JSON document for machines.

use std::fmt::Write;

use serde::Serialize;

/// The number of the JSON's form; a change that breaks its readers counts it up.
const FORMAT: u32 = 1;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works, but not as well or as safely as it could; or it could not be seen.
    Warn,
    /// Somebody will get no answer, no picture, or not what was meant.
    Fail,
    /// Not checked, because something else is in the way, or there is nothing to check.
    Skip,
}

impl Status {
    const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Fail, Self::Skip];

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }

    /// The terminal's code of its colour.
    fn colour(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Warn => "33",
            Self::Fail => "31",
            Self::Skip => "36",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Stays the same from version to version, such as `redis.write`. Several findings may have the same.
    pub(super) id: &'static str,
    pub(super) status: Status,
    /// What was seen.
    pub(super) found: String,
    /// What to do; always there with a failure.
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(id: &'static str, found: impl Into<String>) -> Self {
        Self { id, status: Status::Ok, found: found.into(), advice: None }
    }

    pub(super) fn warn(id: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { id, status: Status::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    pub(super) fn fail(id: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { id, status: Status::Fail, found: found.into(), advice: Some(advice.into()) }
    }

    /// `because` goes on from «not checked, ».
    pub(super) fn skip(id: &'static str, because: &str) -> Self {
        Self { id, status: Status::Skip, found: format!("not checked, {because}"), advice: None }
    }

    /// The same with something to do.
    pub(super) fn with_advice(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// What is wrong with one thing before it is known to which check it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) found: String,
    pub(super) advice: String,
}

impl Trouble {
    pub(super) fn new(found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { found: found.into(), advice: advice.into() }
    }

    pub(super) fn fails(self, id: &'static str) -> Finding {
        Finding::fail(id, self.found, self.advice)
    }

    pub(super) fn warns(self, id: &'static str) -> Finding {
        Finding::warn(id, self.found, self.advice)
    }
}

/// All lines in their order.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
}

/// How many checks ended how.
#[derive(Debug, Serialize)]
struct Summary {
    ok: usize,
    warn: usize,
    fail: usize,
    skip: usize,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    format: u32,
    checks: &'a [Finding],
    summary: Summary,
}

impl Report {
    pub(super) fn count(&self, status: Status) -> usize {
        self.findings.iter().filter(|finding| finding.status == status).count()
    }

    /// One document, with a line feed at its end.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let [ok, warn, fail, skip] = Status::ALL.map(|status| self.count(status));
        let summary = Summary { ok, warn, fail, skip };
        let document = Document { format: FORMAT, checks: &self.findings, summary };
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    /// One line for each finding, in columns, and one that counts them.
    pub(super) fn lines(&self, coloured: bool) -> String {
        let id_chars = self.findings.iter().map(|finding| finding.id.len()).max().unwrap_or_default();
        let paint = |status: Status, text: &str| {
            if coloured { format!("\x1b[{}m{text}\x1b[0m", status.colour()) } else { text.to_owned() }
        };
        let mut lines = String::new();
        for Finding { id, status, found, advice } in &self.findings {
            let word = paint(*status, &format!("{:4}", status.word()));
            // writing to a String cannot fail
            let _ = write!(lines, "{word}  {id:id_chars$}  {}", one_line(found));
            if let Some(advice) = advice {
                let _ = write!(lines, " → {}", one_line(advice));
            }
            lines.push('\n');
        }
        let counts = Status::ALL.map(|status| format!("{} {}", self.count(status), status.word()));
        let _ = writeln!(lines, "\n{}", counts.join(", "));
        lines
    }
}

/// What servers say may hold line feeds, and what rows hold may hold anything: neither may look like another line.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            findings: vec![
                Finding::ok("a", "good"),
                Finding::warn("a.longer", "odd\nok    faked", "mend it"),
                Finding::skip("b", "because of a"),
            ],
        }
    }

    #[test]
    fn lines_are_aligned_and_nothing_found_can_fake_one() {
        assert_eq!(
            report().lines(false),
            "ok    a         good\n\
             warn  a.longer  odd ok    faked → mend it\n\
             skip  b         not checked, because of a\n\n\
             1 ok, 1 warn, 0 fail, 1 skip\n"
        );
        assert!(report().lines(true).starts_with("\x1b[32mok  \x1b[0m  a "));
    }

    #[test]
    fn the_json_is_one_document_of_a_stable_form() {
        let json: serde_json::Value = serde_json::from_str(&report().json().unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "format": 1,
                "checks": [
                    {"id": "a", "status": "ok", "found": "good", "advice": null},
                    {"id": "a.longer", "status": "warn", "found": "odd\nok    faked", "advice": "mend it"},
                    {"id": "b", "status": "skip", "found": "not checked, because of a", "advice": null},
                ],
                "summary": {"ok": 1, "warn": 1, "fail": 0, "skip": 1},
            })
        );
    }
}
