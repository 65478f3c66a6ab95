//! The commands of which a local stack consists: emulators, seed, health.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Output, Stdio};

use beetroot_api::emulators::{ACCESS_KEY_ID, COUNTS_PATH, Emulators, Ports, REGION, SECRET_ACCESS_KEY};
use serde_json::Value;

use crate::served::{Served, program};

/// `beetroot-api emulators` in a process of its own, on free ports.
struct Stack {
    process: Child,
    dynamodb: String,
    s3: String,
}

impl Stack {
    fn start() -> Self {
        let mut process = program()
            .args(["emulators", "--dynamodb-port", "0", "--s3-port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut value = |name: &str| {
            let line = lines.by_ref().find(|line| line.contains(name)).unwrap();
            line.split_once('=').unwrap().1.to_owned()
        };
        let dynamodb = value("AWS_ENDPOINT_URL_DYNAMODB");
        let s3 = value("AWS_ENDPOINT_URL_S3");
        // to the end: who prints into a pipe without a reader fails
        assert!(lines.any(|line| line.contains(COUNTS_PATH)));
        Self { process, dynamodb, s3 }
    }

    fn variables(&self) -> [(&str, &str); 6] {
        [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb),
            ("AWS_ENDPOINT_URL_S3", &self.s3),
            ("THUMBS_BUCKET", "beetroot-thumbs"),
        ]
    }

    fn seed(&self) -> Output {
        program().arg("seed").envs(self.variables()).output().unwrap()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn get_json(url: &str) -> Value {
    reqwest::get(url).await.unwrap().error_for_status().unwrap().json().await.unwrap()
}

#[tokio::test]
async fn emulators_are_seeded_twice_alike_and_a_service_shows_their_pictures() {
    let stack = Stack::start();

    let first = stack.seed();
    let second = stack.seed();

    assert!(first.status.success(), "{first:?}");
    assert_eq!(first.stdout, second.stdout);
    assert!(String::from_utf8_lossy(&first.stdout).starts_with("24 persons in Persons"), "{first:?}");
    let service = Served::start_with(stack.variables());
    let persons = get_json(&format!("http://{}/persons", service.address)).await;
    assert_eq!(persons["persons"].as_array().unwrap().len(), 24);
    let url = persons["persons"][0]["repThumbURL"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    let s3 = get_json(&format!("{}{COUNTS_PATH}", stack.s3)).await;
    assert_eq!((&s3["gets"], &s3["refused"]), (&1.into(), &0.into()), "{s3}");
    let dynamodb = get_json(&format!("{}{COUNTS_PATH}", stack.dynamodb)).await;
    assert_eq!(dynamodb["calls"]["Scan"], 1, "{dynamodb}");
}

#[test]
fn seed_does_not_touch_real_aws_unless_it_is_told_twice() {
    let seed = |arguments: &[&str]| {
        let keys = [("AWS_ACCESS_KEY_ID", "none"), ("AWS_SECRET_ACCESS_KEY", "none"), ("AWS_REGION", REGION)];
        let mut seed = program();
        seed.arg("seed").args(arguments).envs(keys).env("THUMBS_BUCKET", "thumbs");
        seed
    };
    let told = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    for arguments in [&[][..], &["--real-aws"], &["--confirm-bucket", "thumbs"]] {
        let refused = seed(arguments).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(told(&refused).contains("--real-aws --confirm-bucket thumbs"), "{}", told(&refused));
    }
    let other = seed(&["--real-aws", "--confirm-bucket", "other"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(told(&other).contains("names other"), "{}", told(&other));
    // S3 is still AWS when only DynamoDB is not
    let half = seed(&[]).env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(half.status.code(), Some(2));
    assert!(told(&half).contains("S3 would be real AWS"), "{}", told(&half));
}

#[test]
fn seed_that_is_told_twice_goes_to_work() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{nobody}");
    // a directory that is not there: it is looked at after the question whether to write at all
    let output = program()
        .args(["seed", "--real-aws", "--confirm-bucket", "thumbs", "--photos", "no-such-directory"])
        .envs([
            ("THUMBS_BUCKET", "thumbs"),
            ("AWS_REGION", REGION),
            ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ])
        .output()
        .unwrap();

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-directory"), "{output:?}");
}

#[test]
fn health_tells_by_its_exit_code_who_is_alive() {
    let emulators = Emulators::start(Ports::default()).unwrap();
    let service = Served::start(&emulators, &[]);
    let (host, port) = service.address.rsplit_once(':').unwrap();
    let health = |arguments: &[&str], variables: &[(&str, &str)]| {
        program().arg("health").args(arguments).envs(variables.iter().copied()).output().unwrap()
    };

    let own = health(&[], &[("HOST", host), ("PORT", port), ("THUMBS_BUCKET", "thumbs")]);
    let counts = health(&[&format!("{}{COUNTS_PATH}", emulators.s3_endpoint())], &[]);
    let unwell = health(&[&format!("http://{}/nowhere", service.address)], &[]);
    let gone = health(&["http://127.0.0.1:1/healthz"], &[]);
    let unknown = health(&["https://127.0.0.1/healthz"], &[]);

    assert!(own.status.success(), "{own:?}");
    assert!(counts.status.success(), "{counts:?}");
    for (output, reason) in [(unwell, "404"), (gone, "does not answer"), (unknown, "not an address")] {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(reason), "{output:?}");
    }
}
