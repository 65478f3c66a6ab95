//! What the benchmarks share: a client that costs less than the server, and threads of their own for servers.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(unreachable_pub, reason = "nobody uses a benchmark")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mimalloc::MiMalloc;
use rustix::net::{self, RecvFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

/// What a client reads at first: the head, and little of the body.
const HEAD_BYTES: usize = 2048;
/// Linux forgets the bytes instead of copying them: or the client would be slower than the server.
#[cfg(target_os = "linux")]
const DISCARD: RecvFlags = RecvFlags::TRUNC;
#[cfg(not(target_os = "linux"))]
const DISCARD: RecvFlags = RecvFlags::empty();

/// The product's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs a server that tells its address, on a thread of its own.
pub fn on_its_own_thread(run: impl AsyncFnOnce(mpsc::Sender<SocketAddr>) + Send + 'static) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || actix_web::rt::System::new().block_on(run(tell)));
    told.recv().unwrap()
}

pub fn uuid() -> String {
    let hex = format!("{:032x}", fastrand::u128(..));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The processor time of all threads but this one; zero where nothing tells it.
pub fn server_cpu() -> Duration {
    let of = |path: PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
    };
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads.map(|thread| of(thread.path())).sum::<Duration>().saturating_sub(of("/proc/thread-self".into()))
}

/// One keep-alive connection that asks, reads the answer by its `Content-Length`, and asks again.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

pub struct Fetched {
    pub etag: String,
    pub body: Vec<u8>,
    /// Those that the service chose.
    pub headers: Vec<(String, String)>,
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 1 << 18] }
    }

    /// Reads one answer and forgets its body; gives the status.
    pub async fn ask(&mut self, request: &str) -> u16 {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        let (head, length, status) = loop {
            let read = self.stream.read(&mut self.buffer[filled..HEAD_BYTES]).await.unwrap();
            assert!(read > 0, "the connection was closed");
            filled += read;
            if let Some(end) = self.buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = &self.buffer[..end + 4];
                let length = header(head, "content-length").map_or(0, |value| value.parse().unwrap());
                let status = std::str::from_utf8(&head["HTTP/1.1 ".len()..][..3]).unwrap();
                break (head.len(), length, status.parse().unwrap());
            }
        };
        let mut left = head + length - filled;
        while left > 0 {
            let discarded = self.stream.async_io(Interest::READABLE, || {
                let (_, bytes) = net::recv(&self.stream, &mut self.buffer[..], DISCARD)?;
                Ok(bytes)
            });
            left -= discarded.await.unwrap();
        }
        status
    }
}

pub async fn fetch(addr: SocketAddr, request: &str) -> Fetched {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let etag = header(&answer[..head], "etag").unwrap_or_default().to_owned();
    let headers =
        std::str::from_utf8(&answer[..head]).unwrap().lines().filter_map(|line| line.split_once(": "));
    // the rest is actix's own
    let headers = headers.filter(|(name, _)| !["content-length", "date", "connection"].contains(name));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Fetched { etag, headers, body: answer.split_off(head) }
}

pub fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = std::str::from_utf8(head).unwrap().lines();
    lines.filter_map(|line| line.split_once(": ")).find(|(found, _)| *found == name).map(|(_, value)| value)
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
