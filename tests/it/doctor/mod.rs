//! `beetroot-api doctor` as an operator runs it: the mistakes of `docs/doctor.md`, each with its sentence.

mod pictures;
mod redis;
mod s3;
mod settings_and_credentials;
mod tables;

use std::process::Command;

use beetroot_api::emulators;
use serde_json::Value;

use super::redis_server::RedisServer;
use super::rows::{located, person, photo, unlocated};
use super::served::program;
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, TestApp};

/// The program's environment for the emulators of `app`; `None` takes a variable away.
type Variables<'a> = &'a [(&'a str, Option<&'a str>)];

pub fn doctor(app: &TestApp, variables: Variables<'_>) -> Command {
    let mut command = program();
    command
        .arg("doctor")
        .envs([("THUMBS_BUCKET", THUMBS_BUCKET), ("AWS_REGION", emulators::REGION)])
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")])
        .env("AWS_ACCESS_KEY_ID", emulators::ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", emulators::SECRET_ACCESS_KEY)
        .env("AWS_ENDPOINT_URL_DYNAMODB", app.emulators().dynamodb_endpoint())
        .env("AWS_ENDPOINT_URL_S3", app.emulators().s3_endpoint())
        // a machine that does something else as well is no finding
        .env("BEETROOT__REDIS__DEADLINE", "10s");
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// What the doctor found.
pub struct Examined {
    pub code: Option<i32>,
    pub json: Value,
}

impl Examined {
    /// Leaves this runtime free for a test's own servers meanwhile.
    pub async fn of(app: &TestApp, variables: Variables<'_>) -> Self {
        let mut command = doctor(app, variables);
        let output =
            tokio::task::spawn_blocking(move || command.arg("--json").output().unwrap()).await.unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for secret in ["X-Amz-Signature", "X-Amz-Credential", "hunter2", emulators::SECRET_ACCESS_KEY] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { code: output.status.code(), json }
    }

    fn all(&self, id: &str) -> Vec<&Value> {
        self.json["checks"].as_array().unwrap().iter().filter(|check| check["id"] == id).collect()
    }

    /// That a finding of this check ended so, and its text holds all of these.
    #[track_caller]
    pub fn assert(&self, id: &str, status: &str, parts: &[&str]) -> &Self {
        let fits = |check: &&Value| {
            let text = format!("{} {}", check["found"], check["advice"]);
            check["status"] == status && parts.iter().all(|part| text.contains(part))
        };
        assert!(self.all(id).iter().any(fits), "no {id} with {status} and {parts:?}: {:#}", self.json);
        let failed = self.json["summary"]["fail"].as_u64().unwrap();
        assert_eq!(self.code == Some(0), failed == 0, "{:?}: {:#}", self.code, self.json);
        for check in self.json["checks"].as_array().unwrap() {
            assert!(
                check["status"] != "fail" || check["advice"].is_string(),
                "a failure without advice: {check}"
            );
        }
        self
    }
}

/// One person with one occurrence and one photo, and the pictures of all three kinds.
async fn small_installation() -> TestApp {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    app.put_occurrences([unlocated("anna", "1", "p1"), located("anna", "2", "p2")]).await;
    app.put_photos([photo("p1"), photo("p2")]).await;
    for key in ["faces-thumbs/anna.jpg", "faces-thumbs/anna/p1.jpg", "faces-thumbs/anna/p2.jpg"] {
        app.put_picture(THUMBS_BUCKET, key).await;
    }
    for key in ["photos-raw/p1.jpg", "photos-raw/p2.jpg"] {
        app.put_picture(RAW_BUCKET, key).await;
    }
    app
}

#[actix_web::test]
async fn a_sound_installation_has_a_line_for_each_check_and_exit_code_0() {
    let app = small_installation().await;
    let redis = RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"]);
    let rights = [
        "on",
        ">hunter2",
        "~beetroot:*",
        "+get",
        "+mget",
        "+set",
        "+ping",
        "+unwatch",
        "+info",
        "+acl|whoami",
    ];
    redis.cli(&[["acl", "setuser", "app"].as_slice(), &rights].concat());
    let url = redis.url().replace("://", "://app:hunter2@");
    let output = doctor(
        &app,
        &[
            ("REDIS_URL", Some(&url)),
            ("BEETROOT__SEAL__KEY", Some("hunter2hunter2hunter2")),
            ("BEETROOT__PRESIGN__ALLOW", Some("thumbs/faces-thumbs/,raw/photos-raw/")),
        ],
    )
    .output()
    .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    for (found, shown) in [
        (app.emulators().dynamodb_endpoint(), "http://DYNAMODB"),
        (app.emulators().s3_endpoint(), "http://S3"),
        (redis.url(), "redis://REDIS"),
    ] {
        text = text.replace(&found, shown);
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    for (before, after) in [("doctor:", ", gone"), ("Redis ", "\n"), ("volatile-ttl, ", " of")] {
        let start = text.find(before).unwrap_or_else(|| panic!("{before}: {text}")) + before.len();
        let end = start + text[start..].find(after).unwrap_or_else(|| panic!("{after}: {text}"));
        text.replace_range(start..end, "…");
    }
    insta::assert_snapshot!(text);
}
