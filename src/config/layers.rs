//! The layers that settings come from, later wins: the compiled-in `config/default.toml`, `config/<APP_ENV>.toml` in the
//! working directory, the file of `--config`, variables with names of their own, and `BEETROOT__SECTION__KEY`.
//!
//! `config` reads the files; merging is ours, key by key, so that every unknown key is found in every layer, and a wrong
//! table in one layer does not wipe out the keys of another.
//!
//! Empty variables with names of their own count as unset, because Compose files and Helm charts produce them.
//! `BEETROOT__…` variables count when they are empty: that is how to empty a list or to unset what a file sets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use ::config::{ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use super::fault::{Origin, quote, unknown_key};
use super::value::Found;

/// The compiled-in layer.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The variable that names the file of the deployment.
const APP_ENV: &str = "APP_ENV";
/// What variables begin with that can set any key.
pub(super) const PREFIX: &str = "BEETROOT__";
/// Variables with names of their own, and the keys that they set.
pub(super) const PLAIN_VARIABLES: [(&str, &str); 11] = [
    ("THUMBS_BUCKET", "presign.thumbs_bucket"),
    ("PRESIGN_EXPIRES", "presign.expires"),
    ("PRESIGN_MARGIN", "presign.margin"),
    ("PERSONS_TABLE", "dynamodb.persons_table"),
    ("OCCURRENCES_TABLE", "dynamodb.occurrences_table"),
    ("PHOTOS_TABLE", "dynamodb.photos_table"),
    ("REDIS_URL", "redis.url"),
    ("HOST", "server.host"),
    ("PORT", "server.port"),
    ("S3_PUBLIC_ENDPOINT", "aws.s3_public_endpoint"),
    ("CORS_ALLOWED_ORIGINS", "cors.allowed_origins"),
];
/// The one variable that wins over `BEETROOT__…`: whoever sets it wants to see something now.
const RUST_LOG: (&str, &str) = ("RUST_LOG", "log.filter");

type Environment = BTreeMap<OsString, OsString>;

/// The layers so far, merged.
#[derive(Default)]
pub(super) struct Layers {
    /// What is in force so far, by key.
    pub(super) found: BTreeMap<String, Found>,
    /// The keys that exist: those of the compiled-in file, and while that one is read none.
    known: Vec<String>,
    /// What is wrong with files and variables as such.
    pub(super) faults: Vec<String>,
    /// One sentence for each.
    pub(super) unknown_keys: Vec<String>,
}

impl Layers {
    /// The first layer. Its keys are those that exist.
    pub(super) fn built_in() -> Self {
        let mut layers = Self::default();
        layers.add_text(DEFAULTS, &Origin::BuiltIn);
        layers.known = layers.found.keys().cloned().collect();
        layers
    }

    /// `config/<APP_ENV>.toml`, when that variable is set.
    pub(super) fn add_deployment_file(&mut self, environment: &Environment, working_dir: &Path) {
        let Some(name) = self.variable(environment, APP_ENV).filter(|name| !name.is_empty()) else {
            return;
        };
        // The name becomes part of a path: it must not lead anywhere else.
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            self.add_file(&working_dir.join(format!("config/{name}.toml")), "environment variable APP_ENV");
        } else {
            self.faults.push(format!(
                "APP_ENV (environment variable APP_ENV): found {}; accepted: letters, digits, _ and -, which name the file \
                 config/<APP_ENV>.toml",
                quote(&name)
            ));
        }
    }

    /// A file; `asked_by` is who named it.
    pub(super) fn add_file(&mut self, path: &Path, asked_by: &str) {
        let origin = Origin::File(path.display().to_string());
        match std::fs::read_to_string(path) {
            Ok(text) => self.add_text(&text, &origin),
            Err(error) => {
                self.faults.push(format!("{origin}: cannot be read ({asked_by} names it): {error}"));
            }
        }
    }

    fn add_text(&mut self, text: &str, origin: &Origin) {
        match File::from_str(text, FileFormat::Toml).collect() {
            Ok(table) => self.add_table(table, "", origin),
            Err(error) => self.faults.push(format!("{origin}: {}", parse_fault(&error))),
        }
    }

    /// `section` is what the keys of the table begin with.
    fn add_table(&mut self, table: Map<String, Value>, section: &str, origin: &Origin) {
        // Sorted, so that the same files bring the same sentences in the same order.
        for (key, value) in table.into_iter().collect::<BTreeMap<_, _>>() {
            let key = format!("{section}{key}");
            match value.kind {
                // A table at the place of a value is a value of the wrong type, and an empty one a mistyped section.
                ValueKind::Table(table)
                    if !self.known.contains(&key) && (!table.is_empty() || self.is_section(&key)) =>
                {
                    self.add_table(table, &format!("{key}."), origin);
                }
                value => self.add(key, value, origin.clone()),
            }
        }
    }

    /// All variables that are ours, those that win last.
    pub(super) fn add_environment(&mut self, environment: &Environment) {
        for (name, key) in PLAIN_VARIABLES {
            self.add_plain_variable(environment, name, key);
        }
        for name in environment.keys().filter(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes())) {
            let Some(value) = self.variable(environment, name) else { continue };
            let name = name.to_string_lossy();
            let key = name[PREFIX.len()..].to_lowercase().replace("__", ".");
            self.add(key, ValueKind::String(value), Origin::Variable(name.into_owned()));
        }
        self.add_plain_variable(environment, RUST_LOG.0, RUST_LOG.1);
    }

    fn add_plain_variable(&mut self, environment: &Environment, name: &'static str, key: &str) {
        if let Some(value) = self.variable(environment, name).filter(|value| !value.is_empty()) {
            self.add(key.to_owned(), ValueKind::String(value), Origin::PlainVariable(name));
        }
    }

    fn variable(&mut self, environment: &Environment, name: impl AsRef<OsStr>) -> Option<String> {
        let name = name.as_ref();
        let value = environment.get(name)?.to_str();
        if value.is_none() {
            self.faults.push(format!("environment variable {}: its value is not UTF-8", name.display()));
        }
        value.map(str::to_owned)
    }

    fn is_section(&self, key: &str) -> bool {
        self.known.iter().any(|known| known.split_once('.').is_some_and(|(section, _)| section == key))
    }

    fn add(&mut self, key: String, value: ValueKind, origin: Origin) {
        if origin == Origin::BuiltIn || self.known.contains(&key) {
            self.found.insert(key, Found { value, origin });
        } else {
            self.unknown_keys.push(unknown_key(&key, &origin, &self.known));
        }
    }
}

/// Whether a variable can set anything here.
pub(super) fn is_ours(name: &OsStr) -> bool {
    let is_plain = PLAIN_VARIABLES.iter().chain([&RUST_LOG]).any(|(plain, _)| name == *plain);
    is_plain || name == APP_ENV || name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// Line, column and reason of a file that is not TOML. Between the place and the reason the parser quotes the line in three
/// lines, which are left out: they may hold a secret.
fn parse_fault(error: &ConfigError) -> String {
    let text = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    match first.strip_prefix("TOML parse error at ") {
        Some(place) => format!("is not TOML at {place}: {}", lines.skip(3).collect::<Vec<_>>().join(" ")),
        None => format!("is not TOML: {first}"),
    }
}
