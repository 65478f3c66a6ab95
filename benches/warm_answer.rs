//! What a warm `GET /persons` costs: the service against an actix route that returns the same answer, headers and body, from
//! memory; and, for what the contract's headers cost, against one that returns the body alone.
//!
//! `cargo bench --bench warm_answer`. 100 persons, role credentials, one worker, log off. Every round loads each variant for a
//! second over the same number of keep-alive connections; compare the ratios of one run, not figures of different machines.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "that is what it is for")]

mod support;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::{HttpResponse, HttpServer, web};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, PutRequest,
    ScalarAttributeType, WriteRequest,
};
use aws_types::SdkConfig;
use beetroot_api::app::{App, Outside};
use beetroot_api::clock::{Clock, Stopwatch};
use beetroot_api::config::Settings;
use beetroot_api::emulators::{self, Emulators, Ports};
use bytes::Bytes;
use futures_util::future::join_all;

use support::{Client, fetch, median, on_its_own_thread, server_cpu, uuid};

const PERSONS: usize = 100;
const SESSION_TOKEN_BYTES: usize = 900;
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_secs(1);

fn main() {
    let emulators = Emulators::start(Ports::default()).unwrap();
    let service = start_service(&emulators);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let plain = fetch(service, &request("")).await;
        let gzip = fetch(service, &request("Accept-Encoding: gzip\r\n")).await;
        let floor = start_floor(plain.body.clone().into(), plain.headers.clone());
        let bare = start_floor(plain.body.clone().into(), Vec::new());
        println!(
            "{PERSONS} persons: {} bytes, gzip {}; {CONNECTIONS} connections, {ROUNDS} rounds",
            plain.body.len(),
            gzip.body.len()
        );
        assert_eq!(fetch(floor, &request("")).await.body, plain.body);
        let variants = [
            ("floor: the same answer from memory", floor, request("")),
            ("identity", service, request("")),
            ("gzip", service, request("Accept-Encoding: gzip\r\n")),
            ("304", service, String::new()),
            ("the same body, without the headers", bare, request("")),
        ];
        let mut rounds: Vec<[Load; 5]> = Vec::new();
        for round in 0..=ROUNDS {
            let mut loads = [Load::default(); 5];
            for turn in 0..variants.len() {
                // each round begins with another one
                let at = (turn + round) % variants.len();
                let (name, addr, asked) = &variants[at];
                let mut asked = asked.clone();
                if *name == "304" {
                    // of now: each URL that is renewed changes the page, with 100 of them every half minute
                    let etag = fetch(service, &request("")).await.etag;
                    asked = request(&format!("If-None-Match: {etag}\r\n"));
                }
                loads[at] = load(*addr, &asked).await;
            }
            // the first one warms up
            if round > 0 {
                rounds.push(loads);
            }
        }
        let titles = ["requests/s", "of floor", "of identity", "CPU µs", "of floor", "of identity"];
        print!("{:36}", "");
        for title in titles {
            print!(" {title:>11}");
        }
        println!();
        for (at, (name, ..)) in variants.iter().enumerate() {
            let of = |value: &dyn Fn(&[Load; 5]) -> f64| median(rounds.iter().map(value).collect());
            println!(
                "{name:36} {:11.0} {:11.2} {:11.2} {:11.2} {:11.2} {:11.2}",
                of(&|loads| loads[at].rate),
                of(&|loads| loads[at].rate / loads[0].rate),
                of(&|loads| loads[at].rate / loads[1].rate),
                of(&|loads| loads[at].cpu),
                of(&|loads| loads[0].cpu / loads[at].cpu),
                of(&|loads| loads[1].cpu / loads[at].cpu),
            );
        }
        println!("CPU: of the server for one request, on Linux; what it is of the floor and of identity is turned round, so that");
        println!("larger is better as with requests. Where others use the same cores, it says more than the requests do.");
        println!("targets: identity 0.9 of the floor, and of the same body without the headers; gzip 1.3 and 304 2.5 of identity");
    });
}

fn request(headers: &str) -> String {
    format!("GET /persons HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// The service as in production, on a thread of its own.
fn start_service(emulators: &Emulators) -> SocketAddr {
    let mut settings = Settings::defaults("thumbs");
    settings.server.port = 0;
    settings.server.workers = 1;
    settings.aws.region = Some(emulators::REGION.to_owned());
    settings.aws.dynamodb_endpoint = Some(emulators.dynamodb_endpoint());
    let token = "IQoJb3JpZ2luX2VjEJ/+".chars().cycle().take(SESSION_TOKEN_BYTES).collect();
    let credentials =
        Credentials::new(emulators::ACCESS_KEY_ID, emulators::SECRET_ACCESS_KEY, Some(token), None, "bench");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(emulators::REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let endpoint = emulators.dynamodb_endpoint();
    on_its_own_thread(async move |tell| {
        fill(&sdk, &endpoint).await;
        let app = App::build(settings, Outside { aws: sdk, clock: Clock::System }).await.unwrap();
        tell.send(app.addr()).unwrap();
        app.run(std::future::pending()).await.unwrap();
    })
}

/// The least that actix can do for these bytes, with the service's settings.
fn start_floor(body: Bytes, headers: Vec<(String, String)>) -> SocketAddr {
    let server = Settings::defaults("thumbs").server;
    on_its_own_thread(async move |tell| {
        let http_server = HttpServer::new(move || {
            let (body, headers) = (body.clone(), headers.clone());
            let answer = move || {
                let mut answer = HttpResponse::Ok();
                answer.content_type("application/json");
                for (name, value) in &headers {
                    answer.insert_header((name.as_str(), value.as_str()));
                }
                std::future::ready(answer.body(body.clone()))
            };
            actix_web::App::new().route("/persons", web::get().to(answer))
        })
        .disable_signals()
        .keep_alive(server.keep_alive)
        .tcp_nodelay(true)
        .client_request_timeout(server.client_request_timeout)
        .workers(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
        tell.send(http_server.addrs()[0]).unwrap();
        http_server.run().await.unwrap();
    })
}

async fn fill(sdk: &SdkConfig, endpoint: &str) {
    let config = aws_sdk_dynamodb::config::Builder::from(sdk).endpoint_url(endpoint).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let key = KeySchemaElement::builder().attribute_name("personId").key_type(KeyType::Hash).build();
    let definition = AttributeDefinition::builder()
        .attribute_name("personId")
        .attribute_type(ScalarAttributeType::S)
        .build();
    let table = client.create_table().table_name("Persons").billing_mode(BillingMode::PayPerRequest);
    table.key_schema(key.unwrap()).attribute_definitions(definition.unwrap()).send().await.unwrap();
    let ids: Vec<String> = (0..PERSONS).map(|_| uuid()).collect();
    for batch in ids.chunks(25) {
        let rows = batch.iter().enumerate().map(|(number, id)| {
            let row = HashMap::from([
                ("personId".to_owned(), AttributeValue::S(id.clone())),
                ("photoCount".to_owned(), AttributeValue::N(number.to_string())),
                (
                    "repThumbKey".to_owned(),
                    AttributeValue::S(format!("faces-thumbs/{id}/{}_face_1.jpg", uuid())),
                ),
            ]);
            let put = PutRequest::builder().set_item(Some(row)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        let rows = HashMap::from([("Persons".to_owned(), rows.collect())]);
        client.batch_write_item().set_request_items(Some(rows)).send().await.unwrap();
    }
}

/// What one variant did for a second.
#[derive(Clone, Copy, Default)]
struct Load {
    /// Requests per second over all connections.
    rate: f64,
    /// Microseconds of processor time for one request, in all threads but the client's.
    cpu: f64,
}

async fn load(addr: SocketAddr, request: &str) -> Load {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(addr).await);
    }
    let cpu = server_cpu();
    let watch = Stopwatch::start();
    let counts = join_all(clients.into_iter().map(async |mut client| {
        let mut count = 0_u32;
        while watch.elapsed() < ROUND {
            client.ask(request).await;
            count += 1;
        }
        count
    }));
    let count = f64::from(counts.await.into_iter().sum::<u32>());
    Load {
        rate: count / watch.elapsed().as_secs_f64(),
        cpu: server_cpu().saturating_sub(cpu).as_secs_f64() * 1e6 / count,
    }
}
