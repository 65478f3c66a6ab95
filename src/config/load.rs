//! Loads the settings: layers in their order, then one reading that tells everything that is wrong.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::fault::Faults;
use super::layers::{Layers, is_ours};
use super::reader::Reader;
use super::report::Loaded;

/// What settings are loaded from. Has no `Debug`, because it holds values that may be secrets.
#[derive(Clone, Default)]
pub struct Sources {
    /// Environment variables by name, `APP_ENV` among them. Those that no setting knows are ignored.
    pub environment: BTreeMap<OsString, OsString>,
    /// The file of `--config`, relative to `working_dir`. Default none.
    pub config_file: Option<PathBuf>,
    /// Where `config/<APP_ENV>.toml` is looked for. Empty is the working directory of the process.
    pub working_dir: PathBuf,
}

impl Sources {
    /// The environment and working directory of this process, and the file of `--config`.
    /// Keeps only the variables that are ours, so that no copy of anybody's credentials lies about.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn from_process(config_file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os().filter(|(name, _)| is_ours(name)).collect();
        // Without a working directory, relative paths still work as far as the system lets them.
        let working_dir = std::env::current_dir().unwrap_or_default();
        Self { environment, config_file, working_dir }
    }

    /// These variables and nothing else: for tests.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { environment, ..Self::default() }
    }
}

/// Whether `NO_COLOR` asks for text without colours (<https://no-color.org>): set to anything but nothing.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn colour_is_unwanted() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The settings of all layers, or everything that is wrong with them. Reads the files that `sources` names.
pub fn load(sources: Sources) -> Result<Loaded, Faults> {
    let Sources { environment, config_file, working_dir } = sources;
    let mut layers = Layers::built_in();
    layers.add_deployment_file(&environment, &working_dir);
    if let Some(path) = config_file {
        layers.add_file(&working_dir.join(path), "--config");
    }
    layers.add_environment(&environment);

    let mut reader = Reader::new(layers.found);
    let settings = reader.settings();
    let faults = [layers.faults, reader.faults, layers.unknown_keys].concat();
    if faults.is_empty() { Ok(Loaded { settings, report: reader.report }) } else { Err(Faults(faults)) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::time::Duration;

    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::super::layers::{DEFAULTS, PLAIN_VARIABLES, PREFIX};
    use super::*;
    use crate::config::{AllowedOrigins, LogFormat};

    const BUCKET: (&str, &str) = ("THUMBS_BUCKET", "thumbs");

    /// A directory with these files under `config/`, and sources that look there.
    fn sources(files: &[(&str, &str)], variables: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("config")).unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join("config").join(name), text).unwrap();
        }
        let sources = Sources { working_dir: dir.path().to_owned(), ..Sources::of(variables) };
        (dir, sources)
    }

    fn faults(sources: Sources) -> Vec<String> {
        load(sources).expect_err("there should be faults").sentences().to_vec()
    }

    fn entry<'a>(loaded: &'a Loaded, key: &str) -> (&'a str, &'a str) {
        let entry = loaded.report.iter().find(|entry| entry.key == key).unwrap();
        (&entry.value, &entry.origin)
    }

    #[test]
    fn every_key_of_the_built_in_file_is_read_and_reported_in_its_order() {
        let loaded = load(Sources::of(&[BUCKET])).unwrap();
        let mut section = "";
        let in_file: Vec<_> = DEFAULTS
            .lines()
            .filter_map(|line| {
                section = line.strip_prefix('[').map_or(section, |line| line.trim_end_matches(']'));
                let key = line.split_once(" = ").filter(|_| !line.starts_with('#'))?.0;
                Some(format!("{section}.{key}"))
            })
            .collect();
        let reported: Vec<_> = loaded.report.iter().map(|entry| entry.key).collect();
        assert_eq!(in_file, reported);
    }

    #[test]
    fn a_later_layer_wins_and_the_report_tells_which() {
        let files = [
            ("staging.toml", "[server]\nhost = \"::1\"\nport = 1\nworkers = 1\n[log]\nformat = \"json\"\n"),
            ("extra.toml", "[lists]\n[server]\nport = 2\nworkers = 2\n"),
        ];
        let variables = [
            BUCKET,
            ("APP_ENV", "staging"),
            ("PORT", "3"),
            ("PRESIGN_EXPIRES", "60"),
            ("BEETROOT__PRESIGN__EXPIRES", "2m"),
            ("RUST_LOG", "debug"),
            ("BEETROOT__LOG__FILTER", "warn"),
            ("HOST", ""),
        ];
        let (dir, sources) = sources(&files, &variables);
        let loaded = load(Sources { config_file: Some("config/extra.toml".into()), ..sources }).unwrap();
        let path = |name: &str| dir.path().join("config").join(name).display().to_string();
        assert_eq!(entry(&loaded, "server.max_in_flight"), ("1024", "default.toml"));
        assert_eq!(entry(&loaded, "server.host"), ("::1", path("staging.toml").as_str()));
        assert_eq!(entry(&loaded, "server.workers"), ("2", path("extra.toml").as_str()));
        assert_eq!(entry(&loaded, "server.port"), ("3", "environment variable PORT"));
        assert_eq!(
            entry(&loaded, "presign.expires"),
            ("2m", "environment variable BEETROOT__PRESIGN__EXPIRES")
        );
        assert_eq!(entry(&loaded, "log.filter"), ("debug", "environment variable RUST_LOG"));
        assert_eq!(loaded.settings.log.format, LogFormat::Json);
    }

    #[test]
    fn empty_beetroot_variables_empty_what_a_file_sets() {
        let text = "[cors]\nallowed_origins = [\"https://x.example\"]\n[presign]\nallow = [\"raw/\"]\n\
                    [aws]\nregion = \"eu-west-1\"\n";
        let variables = [
            BUCKET,
            ("APP_ENV", "a"),
            ("BEETROOT__CORS__ALLOWED_ORIGINS", ""),
            ("BEETROOT__PRESIGN__ALLOW", ""),
            ("BEETROOT__PRESIGN__RESPONSE_CACHE_CONTROL", ""),
            ("BEETROOT__AWS__REGION", ""),
        ];
        let (_dir, sources) = sources(&[("a.toml", text)], &variables);
        let settings = load(sources).unwrap().settings;
        assert_eq!(settings.cors.allowed_origins, AllowedOrigins::List(Vec::new()));
        assert_eq!(settings.presign.allow, []);
        assert_eq!(settings.presign.response_cache_control(), None);
        assert_eq!(settings.aws.region, None);
    }

    #[test]
    fn the_files_of_this_repository_load() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        for name in ["local", "production"] {
            let variables = Sources::of(&[BUCKET, ("APP_ENV", name)]);
            let loaded = load(Sources { working_dir: root.clone(), ..variables });
            assert!(loaded.is_ok(), "{name}: {}", loaded.unwrap_err());
        }
    }

    #[test]
    fn a_missing_or_broken_file_is_a_fault_without_its_text() {
        let broken = "[seal]\nkey = \"hunter2hunter2hunter2\nx = 1\n";
        let (dir, broken) = sources(&[("b.toml", broken)], &[BUCKET, ("APP_ENV", "b")]);
        let found = faults(Sources { config_file: Some("none.toml".into()), ..broken });
        assert!(found[0].contains("b.toml: is not TOML at line 2, column "), "{found:?}");
        assert!(found[0].ends_with("invalid basic string, expected `\"`"), "{found:?}");
        let missing = dir.path().join("none.toml").display().to_string();
        assert!(
            found[1].starts_with(&format!("{missing}: cannot be read (--config names it): ")),
            "{found:?}"
        );
        assert!(!found.concat().contains("hunter2"));

        let elsewhere = faults(Sources::of(&[BUCKET, ("APP_ENV", "../etc/x")]));
        assert!(elsewhere[0].starts_with("APP_ENV"), "{elsewhere:?}");
    }

    #[test]
    fn variables_that_are_not_utf_8_are_faults_when_they_are_ours() {
        let odd = || OsString::from_vec(vec![0xff]);
        let mut sources = Sources::of(&[BUCKET]);
        sources.environment.insert("PORT".into(), odd());
        sources.environment.insert("BEETROOT__SERVER__HOST".into(), odd());
        sources.environment.insert("SHELL".into(), odd());
        assert_eq!(
            faults(sources),
            ["PORT", "BEETROOT__SERVER__HOST"]
                .map(|name| format!("environment variable {name}: its value is not UTF-8"))
        );
    }

    #[test]
    fn secrets_are_in_the_settings_and_nowhere_else() {
        let secret = "hunter2hunter2hunter2";
        let loaded = load(Sources::of(&[BUCKET, ("BEETROOT__SEAL__KEY", secret)])).unwrap();
        assert_eq!(loaded.settings.seal.key.expose_secret(), secret);
        assert!(!format!("{loaded:?}{}", loaded.table()).contains("hunter2"));
        assert_eq!(entry(&loaded, "seal.key").0, "(hidden)");
        let defaults = load(Sources::of(&[BUCKET])).unwrap();
        assert_eq!(entry(&defaults, "seal.key").0, "(unset)");

        let short = faults(Sources::of(&[BUCKET, ("BEETROOT__SEAL__KEY", "hunter2")]));
        assert!(short[0].contains("found (hidden)") && !short[0].contains("hunter2"), "{short:?}");
    }

    #[test]
    fn the_margin_is_a_twelfth_of_the_expiry_and_at_most_five_minutes() {
        for (expires, margin) in [("1", 0), ("12", 1), ("3599", 299), ("3600", 300), ("604800", 300)] {
            let loaded = load(Sources::of(&[BUCKET, ("PRESIGN_EXPIRES", expires)])).unwrap();
            assert_eq!(loaded.settings.presign.margin, Duration::from_secs(margin), "{expires}");
            assert!(entry(&loaded, "presign.margin").1.starts_with("computed"));
        }
    }

    proptest! {
        #[test]
        fn no_text_for_any_key_panics(index in 0_usize..200, value in any::<String>(), key in any::<String>()) {
            let loaded = load(Sources::of(&[BUCKET])).unwrap();
            let known = loaded.report[index % loaded.report.len()].key;
            let variable = format!("{PREFIX}{}", known.replace('.', "__"));
            let plain = PLAIN_VARIABLES[index % PLAIN_VARIABLES.len()].0;
            let toml_value = toml_text(&value);
            let file = format!("{known} = {toml_value}\n{} = 1\n", toml_text(&key));
            let app_env = if index % 2 == 0 { "a" } else { value.as_str() };
            let (_dir, sources) =
                sources(&[("a.toml", &file)], &[(&variable, &value), (plain, &value), ("APP_ENV", app_env)]);
            let _ = load(sources).map_err(|faults| faults.to_string());
        }
    }

    fn toml_text(text: &str) -> String {
        serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007F")
    }
}
