//! The OpenAPI document against the real program: schemathesis makes requests of it, good and bad ones, and looks whether the
//! answers are what it says.

use std::path::Path;
use std::process::Command;

use super::rows::{located, person, photo, unlocated};
use super::served::{Served, emulated_tables};
use super::test_app::put_all;

/// For each operation, in each phase that makes requests up.
const EXAMPLES: &str = "100";

#[actix_web::test]
async fn schemathesis_finds_nothing_that_is_not_as_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = root.join("target/peers/schemathesis/bin");
    assert!(programs.exists(), "schemathesis is not installed: run ./scripts/test --peers");
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "3"), person("ben", "2.5"), person("Zoë / 1", "1")]).await;
    let occurrences = [
        located("anna", "1", "beach"),
        unlocated("anna", "2", "garden"),
        located("anna", "3", "house"),
        located("Zoë / 1", "1", "beach"),
    ];
    put_all(&client, "Occurrences", occurrences).await;
    put_all(&client, "Photos", [photo("garden")]).await;
    let served = Served::start(&emulators, &[("RUST_LOG", "warn,beetroot_api::commands=info")]);

    let valid =
        Command::new(programs.join("openapi-spec-validator")).arg(root.join("docs/openapi.json")).output();
    let valid = valid.unwrap();
    assert!(valid.status.success(), "not OpenAPI 3.1: {}", String::from_utf8_lossy(&valid.stdout));

    let output = Command::new(programs.join("schemathesis"))
        .arg("run")
        .arg(format!("http://{}/openapi.json", served.address))
        .args(["--checks", "all", "--mode", "all", "--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--max-examples", EXAMPLES, "--continue-on-failure", "--no-color"])
        // the same requests in each run
        .arg("--generation-deterministic")
        .env("SCHEMATHESIS_HOOKS", root.join("tests/peers/schemathesis_hooks.py"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();

    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    // no request has made the service itself warn of anything; the HTTP library tells of heads that are none
    let log = served.end();
    let warnings: Vec<_> = log
        .iter()
        .filter(|line| line.contains("\"target\":\"beetroot_api"))
        .filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\""))
        .collect();
    assert!(warnings.is_empty(), "{warnings:#?}");
}
