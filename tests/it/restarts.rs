//! Restarts under load, behind a balancer that does what load balancers do: it asks each instance whether it is ready, sends
//! requests to those that are, and repeats none that failed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::future::{join, join_all};

use super::rows::person;
use super::served::Served;
use super::served::emulated_tables;
use super::test_app::put_all;

const RESTARTS: usize = 20;
const CLIENTS: usize = 4;
/// How often an instance is asked.
const INTERVAL: Duration = Duration::from_millis(20);
/// Longer than anything here takes, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// One instance, as the balancer knows it.
struct Target {
    address: String,
    is_ready: AtomicBool,
    answered: AtomicUsize,
}

#[derive(Default)]
struct Balancer {
    targets: Mutex<Vec<Arc<Target>>>,
    next: AtomicUsize,
    answered: AtomicUsize,
    failures: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Balancer {
    fn add(&self, address: &str) -> Arc<Target> {
        let target = Arc::new(Target {
            address: address.to_owned(),
            is_ready: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
        });
        self.targets.lock().unwrap().push(Arc::clone(&target));
        target
    }

    fn targets(&self) -> Vec<Arc<Target>> {
        self.targets.lock().unwrap().clone()
    }

    async fn ask_who_is_ready(&self, http: &reqwest::Client) {
        while !self.is_over.load(Ordering::SeqCst) {
            for target in self.targets() {
                let answer = http.get(format!("http://{}/readyz", target.address)).send().await;
                let is_ready = answer.is_ok_and(|answer| answer.status() == 200);
                target.is_ready.store(is_ready, Ordering::SeqCst);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn ask_for_persons(&self, http: &reqwest::Client) {
        while !self.is_over.load(Ordering::SeqCst) {
            let ready: Vec<_> =
                self.targets().into_iter().filter(|target| target.is_ready.load(Ordering::SeqCst)).collect();
            if ready.is_empty() {
                tokio::time::sleep(INTERVAL).await;
                continue;
            }
            let target = &ready[self.next.fetch_add(1, Ordering::SeqCst) % ready.len()];
            let answer = http.get(format!("http://{}/persons", target.address)).send().await;
            let failure = match answer {
                Ok(answer) if answer.status() == 200 => {
                    answer.text().await.map_or_else(|error| Some(format!("{error:?}")), |_| None)
                }
                Ok(answer) => Some(answer.status().to_string()),
                Err(error) => Some(format!("{error:?}")),
            };
            if let Some(failure) = failure {
                self.failures.lock().unwrap().push(failure);
            } else {
                target.answered.fetch_add(1, Ordering::SeqCst);
                self.answered.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Both, until it is over, on a thread of its own.
    fn run(self: &Arc<Self>) -> thread::JoinHandle<()> {
        let balancer = Arc::clone(self);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let http = reqwest::Client::new();
            let asking = join_all((0..CLIENTS).map(|_| balancer.ask_for_persons(&http)));
            runtime.block_on(join(balancer.ask_who_is_ready(&http), asking));
        })
    }
}

async fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, waiting).await.is_ok(), "never: {what}");
}

#[actix_web::test]
async fn twenty_restarts_under_load_lose_no_request() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", (0..20).map(|number| person(&format!("person-{number}"), "1"))).await;
    let balancer = Arc::new(Balancer::default());
    let running = balancer.run();
    // the delay is what a load balancer needs to notice: here many times its interval
    let variables = [
        ("BEETROOT__SERVER__DRAIN_DELAY", "2s"),
        ("BEETROOT__SERVER__WORKERS", "1"),
        ("RUST_LOG", "warn,beetroot_api::commands=info"),
    ];
    let mut present: Option<Served> = None;
    let mut ending = Vec::new();
    for _ in 0..=RESTARTS {
        let new = Served::start(&emulators, &variables);
        let target = balancer.add(&new.address);
        wait_until("the new instance answers requests", || target.answered.load(Ordering::SeqCst) > 0).await;
        if let Some(old) = present.replace(new) {
            old.ask_to_end();
            ending.push(old);
        }
    }
    for old in ending {
        // an exit code other than 0 fails here
        old.ended();
    }
    balancer.is_over.store(true, Ordering::SeqCst);
    running.join().unwrap();
    present.unwrap().end();

    let failures = balancer.failures.lock().unwrap();
    let answered = balancer.answered.load(Ordering::SeqCst);
    println!("{RESTARTS} restarts, {answered} requests answered, {} failed", failures.len());
    assert!(failures.is_empty(), "{} of {answered} failed: {failures:#?}", failures.len());
    assert!(answered > 1000, "only {answered} requests");
}
