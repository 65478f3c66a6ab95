//! A headless Chromium of the test's own, spoken to in its debugging protocol over two pipes.
//!
//! With `--remote-debugging-pipe` Chromium reads commands from its descriptor 3 and writes answers and events to 4,
//! each a JSON text that ends with a zero byte. So there is no port and no websocket, and a Chromium whose test was
//! killed reads the end of its pipe and ends as well.

mod tab;
mod troubles;

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

pub use self::tab::Tab;

/// Far more than any of it takes on a machine that does something else as well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Finds the program and gives it the shell's own input and output as descriptors 3 and 4.
const LAUNCHER: &str = r#"
if [ -n "${CHROMIUM:-}" ]; then candidates=$CHROMIUM; else candidates='chromium
chromium-browser
google-chrome
/Applications/Chromium.app/Contents/MacOS/Chromium
/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; fi
IFS='
'
for program in $candidates; do
  if command -v "$program" >/dev/null; then exec "$program" "$@" 3<&0 4>&1 </dev/null >/dev/null; fi
done
echo "no Chromium (looked for: $(echo $candidates)): run ./scripts/test, which installs it, or name one by CHROMIUM" >&2
exit 127
"#;

const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// One browser with an empty profile. Its drop ends all its processes, and fails the test when a page had troubles that the
/// test has not taken note of by [`Chromium::take_troubles`].
pub struct Chromium {
    wire: Wire,
    process: Child,
    dir: tempfile::TempDir,
    /// How many events the test has taken note of.
    noted: AtomicUsize,
}

impl Chromium {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let log = std::fs::File::create(dir.path().join("log")).expect("a log");
        let mut process = Command::new("sh")
            .args(["-c", LAUNCHER, "sh"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("sh");
        let wire = Wire::new(process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let browser = Self { wire, process, dir, noted: AtomicUsize::new(0) };
        if let Err(error) = browser.wire.call(None, "Browser.getVersion", json!({})).await {
            let log = std::fs::read_to_string(browser.dir.path().join("log")).unwrap_or_default();
            panic!("Chromium does not start ({error}): {log}");
        }
        browser
    }

    /// A new tab, 1280 by 800, that shows nothing yet.
    pub async fn tab(&self) -> Tab {
        Tab::open(self.wire.clone()).await
    }

    /// What pages have complained about, and the test has not taken note of.
    pub fn troubles(&self) -> Vec<String> {
        troubles::found_in(&self.wire.events()[self.noted.load(Ordering::Relaxed)..])
    }

    /// The same; from now on the test answers for it.
    pub fn take_troubles(&self) -> Vec<String> {
        let troubles = self.troubles();
        self.noted.store(self.wire.events().len(), Ordering::Relaxed);
        troubles
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(group) = self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // it may have ended by itself
            let _ = kill_process_group(group, Signal::KILL);
        }
        if !std::thread::panicking() {
            let troubles = self.troubles();
            assert!(troubles.is_empty(), "the pages had troubles:\n{}", troubles.join("\n"));
        }
    }
}

/// The connection, shared by all tabs.
#[derive(Clone)]
struct Wire {
    to_browser: Arc<AsyncMutex<ChildStdin>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    last_id: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    events: Mutex<Vec<Value>>,
}

impl Wire {
    fn new(to_browser: ChildStdin, from_browser: ChildStdout) -> Self {
        let shared: Arc<Shared> = Arc::default();
        tokio::spawn(receive(from_browser, shared.clone()));
        Self { to_browser: Arc::new(AsyncMutex::new(to_browser)), shared }
    }

    /// One command and its result; an error is the browser's text, or that it has gone or does not answer.
    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value, String> {
        let id = self.shared.last_id.fetch_add(1, Ordering::Relaxed);
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let (sender, answer) = oneshot::channel();
        self.shared.waiting.lock().unwrap().insert(id, sender);
        let sent = self.to_browser.lock().await.write_all(format!("{message}\0").as_bytes()).await;
        sent.map_err(|error| format!("{method}: {error}"))?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Err(_) => Err(format!("{method}: no answer")),
            Ok(Err(_)) => Err(format!("{method}: Chromium has ended")),
            Ok(Ok(mut answer)) if answer["error"].is_null() => Ok(answer["result"].take()),
            Ok(Ok(answer)) => Err(format!("{method}: {}", answer["error"])),
        }
    }

    /// All events of all tabs so far, in the order of their arrival.
    fn events(&self) -> MutexGuard<'_, Vec<Value>> {
        self.shared.events.lock().unwrap()
    }
}

/// Reads until the browser ends; whoever waits then is told by the drop of the senders.
async fn receive(from_browser: ChildStdout, shared: Arc<Shared>) {
    let mut reader = BufReader::new(from_browser);
    let mut message = Vec::new();
    while reader.read_until(0, &mut message).await.is_ok_and(|length| length > 0) {
        let parsed: Value =
            serde_json::from_slice(&message[..message.len() - 1]).expect("JSON from Chromium");
        message.clear();
        let Some(id) = parsed["id"].as_u64() else {
            shared.events.lock().unwrap().push(parsed);
            continue;
        };
        if let Some(waiting) = shared.waiting.lock().unwrap().remove(&id) {
            // whoever asked may have stopped waiting
            let _ = waiting.send(parsed);
        }
    }
    shared.waiting.lock().unwrap().clear();
}
