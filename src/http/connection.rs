//! A client's connection with an end to patience. The HTTP library bounds the head of a connection's first request and the idle
//! time between requests; it waits without end for a client that does not take its answer, for the rest of a later head, and
//! reads on while answers pile up. Here such a connection ends.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Sleep, sleep};
use actix_web::web;
use bytes::{Buf, Bytes};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Shared;
use super::refused_head::Refusal;
use crate::clock::Stopwatch;
use crate::config;
use crate::telemetry::metrics::{Metrics, Reason};

/// What all connections of a worker share.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// `server.client_write_timeout`.
    write: Duration,
    /// Nothing is ever silent for so long when all goes well.
    silence: Duration,
    open: Gauge,
    not_taken: Counter,
    silent: Counter,
}

impl Patience {
    pub(super) fn new(settings: &config::Server, metrics: &Metrics) -> Self {
        // a request may take its time twice, when the first refill was broken off
        let answered = settings.client_request_timeout + 2 * settings.request_timeout;
        let cut_off = |reason| metrics.http_connections_cut_off.get_or_create_owned(&Reason::of(reason));
        Self {
            write: settings.client_write_timeout,
            silence: settings.keep_alive.max(answered) + Duration::from_secs(1),
            open: metrics.http_connections.clone(),
            not_taken: cut_off("not_taken"),
            silent: cut_off("silent"),
        }
    }
}

/// A connection that ends when it has been written nothing for too long.
pub(super) struct Connection {
    stream: TcpStream,
    patience: Patience,
    /// Since the last byte went out; since it was opened, before that.
    quiet: Stopwatch,
    timer: Pin<Box<Sleep>>,
    /// The client takes nothing now.
    is_stuck: bool,
    shared: web::Data<Shared>,
    retold: Option<Retold>,
}

/// What goes out in place of a refusal by the HTTP library.
struct Retold {
    /// Not yet taken.
    left: Bytes,
    /// The bytes of the refusal, which then count as written.
    replaced: usize,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, patience: Patience, shared: web::Data<Shared>) -> Self {
        patience.open.inc();
        let timer = Box::pin(sleep(patience.write.min(patience.silence)));
        Self { stream, quiet: Stopwatch::start(), timer, is_stuck: false, patience, shared, retold: None }
    }

    /// An error when patience is at its end; else the task is woken when it may be.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            let (bound, count) = if self.is_stuck {
                (self.patience.write, &self.patience.not_taken)
            } else {
                (self.patience.silence, &self.patience.silent)
            };
            let quiet = self.quiet.elapsed();
            if quiet >= bound {
                count.inc();
                return Err(io::ErrorKind::TimedOut.into());
            }
            // not later than a write that gets stuck meanwhile may last
            let next = bound.saturating_sub(quiet).min(self.patience.write);
            self.timer.as_mut().set(sleep(next));
        }
        Ok(())
    }

    /// Takes note of a write's outcome.
    fn note(&mut self, written: &Poll<io::Result<usize>>, context: &Context<'_>) {
        let was_stuck = std::mem::replace(&mut self.is_stuck, written.is_pending());
        if was_stuck != self.is_stuck || matches!(written, Poll::Ready(Ok(1..))) {
            self.quiet = Stopwatch::start();
        }
        if was_stuck && !self.is_stuck {
            // reading goes on, for which nobody is registered: see `poll_read`
            context.waker().wake_by_ref();
        }
    }

    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&written, context);
        if written.is_pending() {
            self.check(context)?;
        }
        written
    }

    /// Writes all of it, and then says that what it replaces is written.
    fn write_retold(
        &mut self,
        context: &mut Context<'_>,
        mut left: Bytes,
        replaced: usize,
    ) -> Poll<io::Result<usize>> {
        while !left.is_empty() {
            match self.write(context, &left) {
                Poll::Ready(Ok(count @ 1..)) => left.advance(count),
                unwritten => {
                    self.retold = Some(Retold { left, replaced });
                    return unwritten;
                }
            }
        }
        Poll::Ready(Ok(replaced))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        if self.is_stuck {
            // who does not take the answers to its requests may not send more of them: the library would read on, and with a
            // full buffer it would spin
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        if let Some(Retold { left, replaced }) = connection.retold.take() {
            return connection.write_retold(context, left, replaced);
        }
        match Refusal::find(bytes) {
            None => connection.write(context, bytes),
            // what was answered before goes out first
            Some(refusal) if refusal.start > 0 => connection.write(context, &bytes[..refusal.start]),
            Some(refusal) => {
                let retold = refusal.retell(&connection.shared);
                connection.write_retold(context, retold, bytes.len())
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.patience.open.dec();
    }
}
