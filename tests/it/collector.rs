//! A collector of OTLP over HTTP with JSON: remembers what it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Ends with the process of the test.
pub struct Collector {
    port: u16,
    received: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::default();
        let collector = Self { port, received: Arc::clone(&received) };
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let received = Arc::clone(&received);
                std::thread::spawn(move || answer_all(connection.unwrap(), &received));
            }
        });
        collector
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything as it came.
    pub fn text(&self) -> String {
        self.received.lock().unwrap().concat()
    }

    /// All spans, in the order of their arrival.
    pub fn spans(&self) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        let batches = received.iter().map(|body| serde_json::from_str::<Value>(body).unwrap());
        let lists = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
        batches
            .flat_map(|batch| lists(&batch, "resourceSpans"))
            .flat_map(|resource| lists(&resource, "scopeSpans"))
            .flat_map(|scope| lists(&scope, "spans"))
            .collect()
    }
}

fn answer_all(stream: TcpStream, received: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        // a head ends with an empty line, a connection without one
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        let length =
            head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or_else(|| panic!("no length: {head}"))];
        reader.read_exact(&mut body).unwrap();
        received.lock().unwrap().push(String::from_utf8(body).unwrap());
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).unwrap();
    }
}
