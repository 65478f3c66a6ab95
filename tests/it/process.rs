//! The program as an operator starts it.

use std::process::Output;

use beetroot_api::emulators;
use serde_json::Value;

use super::redis_server::RedisServer;
use super::rows::person;
use super::served::{Served, emulated_tables, program};
use super::test_app::put_all;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_start_without_thumbs_bucket_ends_with_2_and_names_it() {
    let output = program().arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("THUMBS_BUCKET"), "{}", text(&output));
}

#[test]
fn all_faults_are_told_at_once() {
    let output = program()
        .arg("serve")
        .envs([
            ("THUMBS_BUCKET", "Not A Bucket"),
            ("PRESIGN_EXPIRES", "604801"),
            ("PORT", "http"),
            ("BEETROOT__SERVER__HORST", "x"),
            ("BEETROOT__SEAL__KEY", "a-secret"),
        ])
        .output()
        .unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for name in [
        "THUMBS_BUCKET",
        "PRESIGN_EXPIRES",
        "604800",
        "PORT",
        "BEETROOT__SERVER__HORST",
        "BEETROOT__SEAL__KEY",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(!text.contains("a-secret"), "{text}");
}

#[test]
fn a_start_without_a_region_ends_with_2_and_names_the_variable() {
    let output = program()
        .arg("serve")
        .envs([("THUMBS_BUCKET", "thumbs"), ("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("AWS_REGION"), "{}", text(&output));
}

#[test]
fn redis_settings_that_cannot_work_end_the_start_with_2() {
    let wrong = |name: &str, value: &str| {
        let output = program()
            .arg("serve")
            .envs([("THUMBS_BUCKET", "thumbs"), ("AWS_REGION", "eu-central-1")])
            .env("REDIS_URL", "rediss://:hunter2@localhost:1")
            .env(name, value)
            .output()
            .unwrap();
        let text = text(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        text
    };
    let text = wrong("REDIS_URL", "redis://:hunter2@localhost:6379x");
    assert!(
        text.contains("redis.url (environment variable REDIS_URL)") && text.contains("localhost"),
        "{text}"
    );
    let text = wrong("BEETROOT__REDIS__CA_FILE", "/nonexistent/ca.pem");
    assert!(text.contains("redis.ca_file") && text.contains("/nonexistent/ca.pem"), "{text}");
}

#[test]
fn config_prints_what_is_in_force_and_hides_secrets() {
    let output = program()
        .arg("config")
        .envs([
            ("THUMBS_BUCKET", "thumbs"),
            ("PRESIGN_EXPIRES", "1200"),
            ("BEETROOT__SEAL__KEY", "a-secret-of-16-bytes-or-more"),
            ("REDIS_URL", "redis+sentinel://app:a-secret@one,two/main"),
        ])
        .output()
        .unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    let line = |key: &str| {
        text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {text}")).to_owned()
    };
    assert!(
        line("presign.expires").contains("PRESIGN_EXPIRES") && line("presign.expires").contains("20m"),
        "{text}"
    );
    assert!(line("presign.margin").contains("1m 40s"), "{text}");
    assert!(line("redis.url").contains("redis+sentinel://one:26379,two:26379/main"), "{text}");
    assert!(line("seal.key").contains("(hidden)"), "{text}");
    assert!(!text.contains("a-secret"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program()
        .arg("serve")
        .envs([("THUMBS_BUCKET", "thumbs"), ("AWS_REGION", "eu-central-1"), ("PORT", &port)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains(&port), "{}", text(&output));
}

#[actix_web::test]
async fn serve_finds_aws_by_the_sdks_own_variables_and_ends_on_sigterm() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "1")]).await;
    let served = Served::start(&emulators, &[]);

    let answer = reqwest::get(format!("http://{}/persons", served.address)).await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let url = answer["persons"][0]["repThumbURL"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/thumbs/faces-thumbs/anna.jpg?", emulators.s3_endpoint())), "{url}");

    let log = served.end();
    let request = log.iter().find(|line| line.contains("answered")).unwrap_or_else(|| panic!("{log:?}"));
    let request: Value = serde_json::from_str(request).unwrap();
    assert_eq!((&request["route"], &request["status"]), (&"/persons".into(), &200.into()), "{request}");
    assert!(!log.concat().contains("X-Amz-Signature"));
}

#[actix_web::test]
async fn not_even_a_trace_of_everything_shows_a_secret() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "1")]).await;
    let redis = RedisServer::start_with(&["--requirepass", "hunter2hunter2"]);
    let redis_url = format!("redis://:hunter2hunter2@127.0.0.1:{}", redis.port());
    let token = "a-session-token-that-is-a-secret";
    let variables = [("RUST_LOG", "trace"), ("AWS_SESSION_TOKEN", token), ("REDIS_URL", &redis_url)];
    let served = Served::start(&emulators, &variables);

    for coding in ["identity", "gzip"] {
        let asked = reqwest::Client::new().get(format!("http://{}/persons", served.address));
        let answer = asked.header("accept-encoding", coding).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }

    let log = served.end();
    assert!(log.len() > 100, "only {} lines at TRACE", log.len());
    for line in log {
        for secret in
            ["X-Amz-Signature", "X-Amz-Security-Token", token, "hunter2hunter2", emulators::SECRET_ACCESS_KEY]
        {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
    }
}
