//! The catalog against `dynalite`, a DynamoDB written in JavaScript.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_credential_types::provider::SharedCredentialsProvider;

use super::catalog_suite;
use super::test_app::{emulator_credentials, sdk_config};

struct Dynalite {
    process: Child,
    port: u16,
}

impl Dynalite {
    #[allow(clippy::disallowed_methods, reason = "waits for a process, which keeps real time")]
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/node_modules/.bin/dynalite");
        assert!(program.exists(), "dynalite is not installed: run ./scripts/test --peers");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--createTableMs", "0"])
            .stdout(Stdio::null())
            .spawn()
            .expect("dynalite starts");
        let dynalite = Self { process, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "dynalite does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        dynalite
    }
}

impl Drop for Dynalite {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[actix_web::test]
async fn dynalite_agrees() {
    let dynalite = Dynalite::start();
    let sdk = sdk_config(SharedCredentialsProvider::new(emulator_credentials(None)));
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk)
        .endpoint_url(format!("http://127.0.0.1:{}", dynalite.port))
        .build();
    catalog_suite::agrees(aws_sdk_dynamodb::Client::from_conf(config)).await;
}
