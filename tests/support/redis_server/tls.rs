//! A certificate authority of one test, and a server's certificate of it.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    pub(super) fn generate(dir: &Path) -> Self {
        let names = dir.join("names");
        std::fs::write(&names, "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
            .unwrap();
        let openssl = |args: &str| {
            let output = Command::new("openssl").args(args.split(' ')).current_dir(dir).output();
            let output = output.unwrap_or_else(|error| panic!("openssl ({error}): run ./scripts/test"));
            assert!(output.status.success(), "openssl {args}: {output:?}");
        };
        for name in ["ca", "server"] {
            openssl(&format!("ecparam -genkey -name prime256v1 -noout -out {name}.key"));
        }
        openssl("req -x509 -new -key ca.key -out ca.pem -days 2 -subj /CN=authority-of-a-test");
        openssl("req -new -key server.key -out server.csr -subj /CN=redis");
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
        Self { dir: dir.to_owned() }
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    pub(super) fn server_args(&self) -> Vec<String> {
        let path = |name: &str| self.dir.join(name).display().to_string();
        [
            ("--tls-cert-file", path("server.pem")),
            ("--tls-key-file", path("server.key")),
            ("--tls-ca-cert-file", path("ca.pem")),
            ("--tls-auth-clients", "no".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    }
}
