//! What becomes of the good answers when more is asked than can be answered: the peak of `GET /persons/{personId}/photos`, each
//! of another person and so made anew, and then one, three and five times that peak, offered without waiting for answers.
//!
//! `cargo bench --bench overload`. Pages of three sizes, one after the other. One worker, a DynamoDB of canned answers that takes
//! five milliseconds, log off. The load and that DynamoDB share a thread that never sleeps: waking it would be work of the server, as it is not behind a network. Rounds of
//! all variants in turn; compare the ratios of one run, not figures of different machines.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "that is what it is for")]

mod support;

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use beetroot_api::app::{App, Outside};
use beetroot_api::clock::{Clock, Stopwatch};
use beetroot_api::config::Settings;
use beetroot_api::emulators;
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use support::{Client, header, median, on_its_own_thread, server_cpu, uuid};

/// Photos of a person, each with a picture and a thumbnail; the last is what a request without `limit` gets at most.
const PAGES: [usize; 3] = [50, 100, 200];
/// How long DynamoDB takes.
const LATENCY: Duration = Duration::from_millis(5);
/// Closed loops of which the best one is the peak.
const AT_ONCE: [usize; 4] = [16, 64, 128, 256];
/// What is offered, as multiples of the peak.
const FACTORS: [f64; 3] = [1.0, 3.0, 5.0];
/// Connections that wait for answers at most when answers are not waited for: a request that finds none is not sent.
const CONNECTIONS: usize = 3000;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
/// Not counted at the beginning of a round: longer than an answer takes, or those of the beginning would be missing.
const WARM_UP: Duration = Duration::from_secs(1);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        for photos in PAGES {
            println!("pages of {photos} photos");
            measure(start_service(start_dynamodb(photos).await)).await;
        }
        println!("per CPU: by the processor time that the server had. Where others use the same cores, the load among them, it says");
        println!("more than the answers do.");
        println!("target: 0.9 of the peak at three times");
    });
}

/// Peak and overload of one service, as a table.
async fn measure(service: SocketAddr) {
    let mut best = (0.0, 0);
    for at_once in AT_ONCE {
        closed_loop(service, at_once).await;
        let rate = closed_loop(service, at_once).await.good;
        println!("{at_once:4} at once: {rate:8.0} good answers/s");
        best = if rate > best.0 { (rate, at_once) } else { best };
    }
    // opened once: their opening and closing would be work, too
    let idle = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..CONNECTIONS / 100 {
        let some = join_all((0..100).map(|_| Client::connect(service))).await;
        idle.borrow_mut().extend(some);
    }
    // not counted: memory that is used for the first time costs the system more than the second time
    open_loop(&idle, best.0 * FACTORS[FACTORS.len() - 1]).await;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let peak = closed_loop(service, best.1).await;
        print!("a round: peak {:.0}; good of what was offered:", peak.good);
        let mut outcomes = Vec::new();
        for factor in FACTORS {
            let outcome = open_loop(&idle, peak.good * factor).await;
            print!(" {factor}x {:.0}", outcome.good);
            std::io::stdout().flush().unwrap();
            outcomes.push(outcome);
        }
        println!();
        rounds.push((peak, outcomes));
    }
    let peak = median(rounds.iter().map(|(peak, _)| peak.good).collect());
    println!("peak: {peak:.0} good answers/s; medians of {ROUNDS} rounds");
    println!(
        "  offered   good/s  of peak  the same per CPU  refused/s  not sent/s  good p50 ms  good p99 ms"
    );
    for (at, factor) in FACTORS.iter().enumerate() {
        let of = |value: &dyn Fn(Peak, &Outcome) -> f64| {
            median(rounds.iter().map(|(peak, outcomes)| value(*peak, &outcomes[at])).collect())
        };
        println!(
            "{factor:8.0}x {:8.0} {:8.2} {:17.2} {:10.0} {:11.0} {:12.1} {:12.1}",
            of(&|_, outcome| outcome.good),
            of(&|peak, outcome| outcome.good / peak.good),
            of(&|peak, outcome| (outcome.good / outcome.cpu) / (peak.good / peak.cpu)),
            of(&|_, outcome| outcome.refused),
            of(&|_, outcome| outcome.not_sent),
            of(&|_, outcome| outcome.p50),
            of(&|_, outcome| outcome.p99),
        );
    }
}

/// Asks for a page that nobody has asked for.
fn request() -> String {
    format!("GET /persons/{}/photos HTTP/1.1\r\nHost: localhost\r\n\r\n", uuid())
}

/// Good answers a second, and the seconds of processor time that the server had for them.
#[derive(Clone, Copy)]
struct Peak {
    good: f64,
    cpu: f64,
}

/// What a round brought, each second; latencies in milliseconds.
struct Outcome {
    good: f64,
    /// Seconds of processor time that the server had.
    cpu: f64,
    refused: f64,
    not_sent: f64,
    p50: f64,
    p99: f64,
}

/// Good answers a second when each of these connections asks again as soon as it has its answer.
async fn closed_loop(addr: SocketAddr, at_once: usize) -> Peak {
    let clients = join_all((0..at_once).map(|_| Client::connect(addr))).await;
    let cpu = server_cpu();
    let watch = Stopwatch::start();
    let counts = join_all(clients.into_iter().map(async |mut client| {
        let mut good = 0_u32;
        while watch.elapsed() < ROUND {
            let status = client.ask(&request()).await;
            good += u32::from(status == 200 && watch.elapsed() > WARM_UP);
        }
        good
    }));
    let good = f64::from(counts.await.into_iter().sum::<u32>()) / ROUND.saturating_sub(WARM_UP).as_secs_f64();
    Peak { good, cpu: server_cpu().saturating_sub(cpu).as_secs_f64() / watch.elapsed().as_secs_f64() }
}

/// So many requests a second, whatever becomes of them.
async fn open_loop(idle: &Rc<RefCell<Vec<Client>>>, rate: f64) -> Outcome {
    let latencies = Rc::new(RefCell::new(Vec::new()));
    let refused = Rc::new(Cell::new(0_u32));
    let mut not_sent = 0_u32;
    let mut sent = 0.0;
    let cpu = server_cpu();
    let watch = Stopwatch::start();
    while watch.elapsed() < ROUND {
        let due = watch.elapsed().as_secs_f64() * rate;
        while sent < due {
            sent += 1.0;
            let counts = watch.elapsed() > WARM_UP;
            let Some(mut client) = idle.borrow_mut().pop() else {
                not_sent += u32::from(counts);
                continue;
            };
            let (idle, latencies, refused) = (Rc::clone(idle), Rc::clone(&latencies), Rc::clone(&refused));
            tokio::task::spawn_local(async move {
                let asked = Stopwatch::start();
                let status = client.ask(&request()).await;
                let now = watch.elapsed();
                if now > WARM_UP && now < ROUND {
                    if status == 200 {
                        latencies.borrow_mut().push(asked.elapsed().as_secs_f64() * 1000.0);
                    } else {
                        refused.set(refused.get() + 1);
                    }
                }
                idle.borrow_mut().push(client);
            });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let cpu = server_cpu().saturating_sub(cpu).as_secs_f64() / watch.elapsed().as_secs_f64();
    let mut latencies = latencies.take();
    latencies.sort_by(f64::total_cmp);
    let seconds = ROUND.saturating_sub(WARM_UP).as_secs_f64();
    let at =
        |hundredths: usize| latencies.get(latencies.len() * hundredths / 100).copied().unwrap_or(f64::NAN);
    let outcome = Outcome {
        good: f64::from(u32::try_from(latencies.len()).unwrap()) / seconds,
        cpu,
        refused: f64::from(refused.get()) / seconds,
        not_sent: f64::from(not_sent) / seconds,
        p50: at(50),
        p99: at(99),
    };
    // the next one begins without requests of this one
    let rest = async {
        while idle.borrow().len() < CONNECTIONS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    rest.await;
    outcome
}

/// The service as in production, with one worker.
fn start_service(dynamodb: SocketAddr) -> SocketAddr {
    let mut settings = Settings::defaults("thumbs");
    settings.server.port = 0;
    settings.server.workers = 1;
    // connections that have asked nothing yet stay open
    settings.server.client_request_timeout = Duration::from_secs(3600);
    settings.aws.region = Some(emulators::REGION.to_owned());
    settings.aws.dynamodb_endpoint = Some(format!("http://{dynamodb}"));
    let credentials = Credentials::new("AKIA", "secret", None, None, "bench");
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(emulators::REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    on_its_own_thread(async move |tell| {
        let app = App::build(settings, Outside { aws, clock: Clock::System }).await.unwrap();
        tell.send(app.addr()).unwrap();
        app.run(std::future::pending()).await.unwrap();
    })
}

/// Answers every call with the same rows, so that it takes little processor time from what is measured.
async fn start_dynamodb(photos: usize) -> SocketAddr {
    let rows: Vec<_> = (0..photos)
        .map(|number| {
            let photo = uuid();
            json!({
                "personId": { "S": "somebody" },
                "occurrence": { "S": format!("{number:04}") },
                "photoId": { "S": photo },
                "photoBucket": { "S": "photos" },
                "photoKey": { "S": format!("photos-raw/{photo}.jpg") },
                "thumbKey": { "S": format!("faces-thumbs/{photo}_face_1.jpg") },
            })
        })
        .collect();
    let body = json!({ "Items": rows, "Count": photos, "ScannedCount": photos }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer: Rc<[u8]> = format!("{head}{body}").into_bytes().into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::task::spawn_local(answer_calls(stream, Rc::clone(&answer)));
        }
    });
    addr
}

async fn answer_calls(mut stream: TcpStream, answer: Rc<[u8]>) {
    let mut call = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = call.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if !matches!(stream.read_buf(&mut call).await, Ok(1..)) {
                return;
            }
        };
        let length: usize = header(&call[..end], "content-length").unwrap().parse().unwrap();
        while call.len() < end + length {
            if !matches!(stream.read_buf(&mut call).await, Ok(1..)) {
                return;
            }
        }
        call.drain(..end + length);
        tokio::time::sleep(LATENCY).await;
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}
