//! The program in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::ScalarAttributeType;
use beetroot_api::emulators::{self, Emulators, Ports};
use serde_json::Value;

use super::test_app::{create_tables, emulator_credentials, sdk_config};

/// The program with an empty environment, so that nobody's settings or profile decide a test.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beetroot-api"));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR")).stdin(Stdio::null());
    command
}

/// `beetroot-api serve` in a process of its own, with AWS as the SDK's own variables say.
pub struct Served {
    process: Child,
    pub address: String,
    /// Reads the log to its end, or the process would wait for a reader.
    log: Option<JoinHandle<Vec<String>>>,
}

impl Served {
    /// With emulated AWS.
    pub fn start(emulators: &Emulators, variables: &[(&str, &str)]) -> Self {
        let aws = [
            ("AWS_REGION", emulators::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", emulators::ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", emulators::SECRET_ACCESS_KEY.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", emulators.dynamodb_endpoint()),
            ("AWS_ENDPOINT_URL_S3", emulators.s3_endpoint()),
        ];
        let aws = aws.iter().map(|(name, value)| (*name, value.as_str()));
        Self::start_with(aws.chain(variables.iter().copied()))
    }

    /// With whatever AWS these variables lead to.
    pub fn start_with<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut process = program()
            .arg("serve")
            .envs([("THUMBS_BUCKET", "thumbs"), ("PORT", "0"), ("BEETROOT__LOG__FORMAT", "json")])
            .envs(variables)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut told = Vec::new();
        let listening = loop {
            let line = log.next().unwrap_or_else(|| panic!("a line that says where: {told:#?}"));
            told.push(line.clone());
            if line.contains("listening") {
                break serde_json::from_str::<Value>(&line).unwrap();
            }
        };
        let address = listening["address"].as_str().unwrap_or_else(|| panic!("{listening}")).to_owned();
        let log = std::thread::spawn(move || {
            told.extend(log);
            told
        });
        Self { process, address, log: Some(log) }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// SIGTERM; gives its whole log.
    pub fn end(self) -> Vec<String> {
        self.ask_to_end();
        self.ended()
    }

    /// SIGTERM, without waiting for what comes of it.
    pub fn ask_to_end(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
    }

    /// Waits for the end; gives its whole log.
    pub fn ended(mut self) -> Vec<String> {
        let log = self.log.take().unwrap().join().unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "{log:?}");
        log
    }
}

/// Where a test has failed before it could end it.
impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Emulators with the three tables, and a client to fill them.
pub async fn emulated_tables() -> (Emulators, aws_sdk_dynamodb::Client) {
    let emulators = Emulators::start(Ports::default()).unwrap();
    let sdk = sdk_config(SharedCredentialsProvider::new(emulator_credentials(None)));
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk).endpoint_url(emulators.dynamodb_endpoint());
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    create_tables(&client, &("occurrenceId", ScalarAttributeType::S)).await;
    (emulators, client)
}
