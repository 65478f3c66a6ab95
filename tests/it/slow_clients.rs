//! Clients that send or take too slowly, too much, or something else than HTTP: none of them may stop the others, or be waited
//! for without end.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rows::person;
use super::test_app::TestApp;

/// Longer than anything here takes, also on a busy machine.
const LONG: Duration = Duration::from_secs(60);

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.addr).await.expect("a connection")
}

/// All that comes until the other side closes, be it in order or not.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
    let _reset_or_closed = read.expect("the end of the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The answer to one request on a connection that stays open; its body is as long as it says.
async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.expect("a length").parse::<usize>().expect("a number") {
                return text.into_owned();
            }
        }
        let read = tokio::time::timeout(LONG, stream.read_buf(&mut answer)).await.expect("in time");
        assert!(read.expect("readable") > 0, "closed: {}", String::from_utf8_lossy(&answer));
    }
}

/// An error like any other, and the last answer of its connection.
#[track_caller]
fn assert_told(answer: &str, status: &str, error: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer:?}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("connection", "close"),
        ("content-length", &body.len().to_string()),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(header(name), Some(value), "{name} of {answer}");
    }
    assert!(header("date").is_some(), "{answer}");
    let body: Value = serde_json::from_str(body).expect(answer);
    assert_eq!(body["error"], error);
    assert_eq!(body["requestId"].as_str(), header("x-request-id"));
}

async fn wait_until(app: &TestApp, line: &str, value: u64) {
    let waiting = async {
        while app.metric(line) != value {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(LONG, waiting).await;
    assert!(waited.is_ok(), "{line} is {} instead of {value}", app.metric(line));
}

/// Requests that were refused before they were any.
fn counted_as_other(app: &TestApp, status: u16) -> u64 {
    app.metric(&format!(r#"beetroot_http_requests_total{{route="other",method="other",status="{status}"}}"#))
}

#[actix_web::test]
async fn a_head_that_does_not_end_is_a_408() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.server.client_request_timeout = Duration::from_millis(100);
    })
    .await;
    let mut stream = connect(&app).await;
    stream.write_all(b"GET /persons HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert_told(&answer, "408", "the head of the request did not end in time");
    assert_eq!(counted_as_other(&app, 408), 1);
}

#[actix_web::test]
async fn a_later_request_that_does_not_end_is_cut_off() {
    let app = TestApp::start_with(|wishes| {
        let server = &mut wishes.settings.server;
        server.keep_alive = Duration::from_millis(100);
        server.client_request_timeout = Duration::from_millis(100);
        server.request_timeout = Duration::from_millis(100);
    })
    .await;
    let mut stream = connect(&app).await;
    let answer = ask(&mut stream, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    // a byte now and then looks alive, and would be waited for as long as it goes on
    let dripping = async {
        while stream.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, dripping).await.expect("the end of the connection");

    assert_eq!(app.metric(r#"beetroot_http_connections_cut_off_total{reason="silent"}"#), 1);
    wait_until(&app, "beetroot_http_connections", 0).await;
}

#[actix_web::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.server.client_write_timeout = Duration::from_millis(200);
    })
    .await;
    app.put_persons((0..100).map(|number| person(&format!("person-{number}"), "1"))).await;
    let mut stream = connect(&app).await;
    // much more than the system's buffers take
    let requests = "GET /persons HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    // ends with the connection: who does not take its answers is not read from either
    let sent = tokio::time::timeout(LONG, async {
        loop {
            if stream.write_all(requests.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    sent.await.expect("the end of the connection");
    assert_eq!(app.metric(r#"beetroot_http_connections_cut_off_total{reason="not_taken"}"#), 1);
    wait_until(&app, "beetroot_http_connections", 0).await;
    app.get("/persons").await.ok();
}

#[actix_web::test]
async fn a_client_that_pauses_gets_the_rest_and_its_connection_goes_on() {
    let app = TestApp::start().await;
    app.put_persons((0..100).map(|number| person(&format!("person-{number}"), "1"))).await;
    let mut stream = connect(&app).await;
    let requests = "GET /persons HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500);
    let (mut read, mut write) = stream.split();
    let asking = async {
        write.write_all(requests.as_bytes()).await.unwrap();
        write.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    };
    let taking = async {
        // Nothing tells that the service is stuck, as it is when the system's buffers are full, but that it answers no more.
        let answered =
            || app.metric(r#"beetroot_http_requests_total{route="/persons",method="GET",status="200"}"#);
        let mut before = 0;
        while before == 0 || answered() != before {
            before = answered();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(before < 500, "all answers fitted into the system's buffers");
        let mut answers = Vec::new();
        tokio::time::timeout(LONG, read.read_to_end(&mut answers)).await.unwrap().unwrap();
        String::from_utf8(answers).unwrap()
    };
    let ((), answers) = futures_util::future::join(asking, taking).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 501);
    assert!(answers.ends_with(r#"{"ok":true}"#));
}

#[actix_web::test]
async fn two_hundred_slow_senders_stop_no_good_request() {
    let app = TestApp::start_with(|wishes| {
        wishes.settings.server.client_request_timeout = Duration::from_secs(3);
    })
    .await;
    app.put_persons([person("anna", "1")]).await;
    let mut slow = join_all((0..200).map(|_| connect(&app))).await;
    let dripping = join_all(slow.iter_mut().map(async |stream| {
        for byte in b"GET /persons HTTP/1.1\r\nX-Slow: ".iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }));
    let good = async {
        wait_until(&app, "beetroot_http_connections", 200).await;
        for _ in 0..100 {
            app.get("/persons").await.ok();
        }
    };
    // the slow ones end, too: all of them are refused
    let (_, ()) = futures_util::future::join(tokio::time::timeout(LONG, dripping), good).await;
    for mut stream in slow {
        // what was refused after its bytes had come is reset, and its 408 may be lost with that
        let answer = read_to_end(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[actix_web::test]
async fn what_is_not_http_is_refused_and_costs_its_connection() {
    let app = TestApp::start().await;
    let long_head = format!("GET /healthz HTTP/1.1\r\nX-Long: {}", "x".repeat(140_000));
    let many_headers = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(97));
    let endless_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000));
    let cases: [(&str, &[u8], &str); 9] = [
        ("TLS", &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x0d, 0x0a, 0x0d, 0x0a], "400"),
        ("no method", b"/persons HTTP/1.1\r\n\r\n", "400"),
        ("no such version", b"GET /persons HTTP/9.9\r\n\r\n", "400"),
        ("a length that is none", b"GET /persons HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
        ("two lengths", b"GET /persons HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400"),
        ("a zero in a header", b"GET /persons HTTP/1.1\r\nX-A: \0\r\n\r\n", "400"),
        ("a head of more than 128 KiB", long_head.as_bytes(), "431"),
        ("more than 96 headers", many_headers.as_bytes(), "431"),
        ("a path of more than 64 KiB", endless_path.as_bytes(), "400"),
    ];
    for (case, bytes, status) in cases {
        let mut stream = connect(&app).await;
        // it may close before all is sent
        let _ = stream.write_all(bytes).await;
        let answer = read_to_end(&mut stream).await;
        let error = match status {
            "431" => "head: accepted are up to 128 KiB and 96 headers",
            _ => "not a request of HTTP/1.1",
        };
        println!("{case}");
        assert_told(&answer, status, error);
    }
    assert_eq!((counted_as_other(&app, 400), counted_as_other(&app, 431)), (7, 2));
    wait_until(&app, "beetroot_http_connections", 0).await;
    app.get("/healthz").await.ok();
}

#[actix_web::test]
async fn what_was_asked_before_something_that_is_not_http_is_answered() {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    let mut stream = connect(&app).await;
    stream
        .write_all(
            b"GET /persons HTTP/1.1\r\nHost: x\r\n\r\nGET /persons HTTP/1.1\r\nHost: x\r\n\r\nBAD\r\n\r\n",
        )
        .await
        .unwrap();
    let answers = read_to_end(&mut stream).await;
    let (good, refusal) = answers.split_at(answers.rfind("HTTP/1.1 4").unwrap());
    assert_eq!(good.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert_eq!(good.matches(r#""personId":"anna""#).count(), 2, "{answers}");
    assert_told(refusal, "400", "not a request of HTTP/1.1");
}

#[actix_web::test]
async fn a_path_and_query_of_16_kib_are_read_and_longer_ones_are_a_414() {
    let app = TestApp::start().await;
    let longest = format!("/healthz?{}", "x".repeat((16 << 10) - "/healthz?".len()));
    app.get(&longest).await.ok();
    let answer = app.get(&format!("{longest}x")).await;
    assert_eq!(answer.assert_error(414), "path and query: accepted are up to 16384 bytes");
}

#[actix_web::test]
async fn a_large_header_is_read() {
    let app = TestApp::start().await;
    let cookie = "x".repeat(60_000);
    app.request(reqwest::Method::GET, "/healthz", &[("cookie", &cookie)]).await.ok();
}

#[actix_web::test]
async fn a_client_that_has_closed_its_half_gets_its_answer() {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    let mut stream = connect(&app).await;
    stream.write_all(b"GET /persons HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("anna"), "{answer}");
}

#[actix_web::test]
async fn a_body_that_nobody_wants_is_not_waited_for() {
    let app = TestApp::start().await;
    let mut stream = connect(&app).await;
    stream
        .write_all(b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        .await
        .unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[actix_web::test]
async fn beyond_max_connections_one_more_waits_until_another_closes() {
    let app = TestApp::start_with(|wishes| wishes.settings.server.max_connections = 2).await;
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut first = connect(&app).await;
    let mut second = connect(&app).await;
    ask(&mut first, request).await;
    ask(&mut second, request).await;

    let mut third = connect(&app).await;
    third.write_all(request.as_bytes()).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(300), third.read(&mut byte)).await;
    assert!(early.is_err(), "answered beyond the bound");
    ask(&mut first, request).await;

    drop(first);
    tokio::time::timeout(LONG, third.read_exact(&mut byte)).await.expect("its turn").expect("an answer");
}
