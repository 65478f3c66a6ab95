//! Real Redis for a test: as many servers as it wants, each on a free port, with nothing on disk, dead when the test is.

mod cluster;
mod sentinel;
mod tls;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use beetroot_api::clock::Stopwatch;

pub use self::cluster::RedisCluster;
pub use self::sentinel::RedisSentinel;
use self::tls::Certificates;

/// Far more than any of it takes on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is logged by a server, or by a Sentinel, that listens.
const READY: [&str; 2] = ["Ready to accept connections", "Sentinel ID is"];
/// And replicas that are in step at once.
const NOTHING_ON_DISK: [&str; 6] = ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];

/// One `redis-server`.
pub struct RedisServer {
    port: u16,
    /// What it was started with, for the next time.
    args: Vec<String>,
    dir: tempfile::TempDir,
    process: Option<Child>,
    certificates: Option<Certificates>,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more of what `redis-server` takes, such as `&["--requirepass", "secret"]`.
    pub fn start_with(args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), args, None)
    }

    /// One that speaks TLS only, with the certificate of an authority that nobody else knows.
    pub fn tls() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let certificates = Certificates::generate(dir.path());
        Self::start_in(dir, &[], Some(certificates))
    }

    /// A Sentinel with this file, which it will write to.
    fn start_sentinel(dir: tempfile::TempDir, config: &Path) -> Self {
        Self::start_process(dir, vec![config.display().to_string(), "--sentinel".to_owned()], None)
    }

    fn start_in(dir: tempfile::TempDir, args: &[&str], certificates: Option<Certificates>) -> Self {
        let args = [args, &NOTHING_ON_DISK].concat().into_iter().map(str::to_owned).collect();
        Self::start_process(dir, args, certificates)
    }

    fn start_process(dir: tempfile::TempDir, args: Vec<String>, certificates: Option<Certificates>) -> Self {
        let mut server = Self { port: 0, args, dir, process: None, certificates };
        for _ in 0..20 {
            server.port = free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server does not start: {}", server.log());
    }

    /// False when it ended at once: another process has taken the port since, or it does not like its arguments.
    #[allow(clippy::zombie_processes, reason = "where nobody waits for it, the test has failed")]
    fn launch(&mut self) -> bool {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        // the file of a Sentinel must be the first argument
        command.args(&self.args).args(["--bind", "127.0.0.1"]).arg("--dir").arg(self.dir.path());
        match &self.certificates {
            None => command.args(["--port", &port]),
            Some(certificates) => {
                command.args(["--port", "0", "--tls-port", &port]).args(certificates.server_args())
            }
        };
        let log = std::fs::File::create(self.dir.path().join("log")).expect("a log");
        let process = command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn();
        let mut process =
            process.unwrap_or_else(|error| panic!("redis-server ({error}): run ./scripts/test"));
        let waited = Stopwatch::start();
        while waited.elapsed() < PATIENCE {
            if process.try_wait().expect("a process").is_some() {
                return false;
            }
            // a connection would not tell: it may be another test's server that was faster to take the port
            let log = self.log();
            if READY.iter().any(|line| log.contains(line)) {
                self.process = Some(process);
                return true;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("redis-server is not ready: {}", self.log());
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Without user and password.
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The certificate of the authority that signed for a server of [`RedisServer::tls`].
    pub fn ca_file(&self) -> std::path::PathBuf {
        self.certificates.as_ref().expect("a server with TLS").ca_file()
    }

    /// The process is gone, and what it held as well.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("ended");
        }
    }

    /// Empty, on the same port.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "redis-server does not start again: {}", self.log());
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("a process");
        let status = Command::new("kill").args([signal, &process.id().to_string()]).status();
        assert!(status.expect("kill").success());
    }

    /// What `redis-cli` prints for a command.
    pub fn cli(&self, args: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string(), "--no-auth-warning"]);
        if let Some(password) = self.args.iter().skip_while(|arg| *arg != "--requirepass").nth(1) {
            command.args(["-a", password]);
        }
        if self.certificates.is_some() {
            command.arg("--tls").arg("--cacert").arg(self.ca_file());
        }
        let output = command.args(args).output().expect("redis-cli: run ./scripts/test");
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Waits until a command prints something in particular.
    pub fn wait_for(&self, args: &[&str], expected: &str) {
        let waited = Stopwatch::start();
        loop {
            let found = self.cli(args);
            if found.contains(expected) {
                return;
            }
            assert!(waited.elapsed() < PATIENCE, "{args:?}: {found}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Below the ports that systems give to clients, so that none takes it between a kill and a restart, and with room for the
/// port of a Cluster's bus, 10000 above.
fn free_port() -> u16 {
    for _ in 0..1000 {
        let port = fastrand::u16(12_000..22_000);
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
    panic!("no free port");
}
