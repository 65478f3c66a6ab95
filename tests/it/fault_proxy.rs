//! A way to Redis on which things go wrong.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What happens on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Each answer comes so much later.
    Delay(Duration),
    /// Half of an answer comes, and then the connection is reset.
    ResetInAnswer,
    /// New connections are reset, and so are old ones at the next answer.
    Refuse,
    /// Answers never come.
    BlackHole,
}

pub struct FaultProxy {
    addr: SocketAddr,
    fault: watch::Sender<Fault>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// In front of a port of this machine.
    pub async fn start(upstream_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let addr = listener.local_addr().expect("an address");
        let (fault, fault_now) = watch::channel(Fault::None);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream_port, fault_now.clone()));
            }
        });
        Self { addr, fault, accepting }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, upstream_port: u16, fault: watch::Receiver<Fault>) {
    // closing it resets it
    client.set_zero_linger().expect("an option");
    if *fault.borrow() == Fault::Refuse {
        return;
    }
    let Ok(upstream) = TcpStream::connect(("127.0.0.1", upstream_port)).await else { return };
    client.set_nodelay(true).expect("an option");
    let (mut from_client, to_client) = client.into_split();
    let (from_upstream, mut to_upstream) = upstream.into_split();
    let (answers, due) = mpsc::unbounded_channel();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_upstream) => {}
        () = read_answers(from_upstream, fault.clone(), answers) => {}
        () = write_answers(to_client, due) => {}
    }
}

/// Each answer, and when it may go on: a later one does not wait for the delay of an earlier one.
async fn read_answers(
    mut upstream: OwnedReadHalf,
    fault: watch::Receiver<Fault>,
    answers: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = upstream.read(&mut buffer).await {
        let fault = *fault.borrow();
        let (delay, length) = match fault {
            Fault::None => (Duration::ZERO, length),
            Fault::Delay(delay) => (delay, length),
            Fault::ResetInAnswer => (Duration::ZERO, length / 2),
            Fault::BlackHole => continue,
            Fault::Refuse => return,
        };
        let _ = answers.send((Instant::now() + delay, buffer[..length].to_vec()));
        if fault == Fault::ResetInAnswer {
            // so that the half is written
            tokio::time::sleep(Duration::from_millis(5)).await;
            return;
        }
    }
}

async fn write_answers(mut client: OwnedWriteHalf, mut due: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>) {
    while let Some((when, bytes)) = due.recv().await {
        tokio::time::sleep_until(when).await;
        if client.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
