//! The listening server: actix's, with connections that are bounded in number and patience. Built from its parts, because
//! `HttpServer` lets nobody stand between it and a connection.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{ServiceFactoryExt, map_config};
use actix_web::dev::{AppConfig, Server, fn_service};
use actix_web::rt::net::TcpStream;
use actix_web::web;
use tokio::net::TcpSocket;

use super::connection::{Connection, Patience};
use super::{Shared, application};
use crate::config;
use crate::telemetry::metrics::Reason;

/// How long a connection that closes may still bring what nobody reads: or a client that sends a body loses its answer.
const LINGER: Duration = Duration::from_secs(1);

/// Listens on every address that `server.host` stands for, and answers as soon as the server is polled. Gives the first address.
pub fn bind(settings: &config::Server, shared: &web::Data<Shared>) -> io::Result<(Server, SocketAddr)> {
    let listeners = listen(settings)?;
    let addr = listeners.first().ok_or(io::ErrorKind::AddrNotAvailable)?.local_addr()?;
    let workers = settings.worker_count();
    // from 0, or an alert does not see the first refusals as an increase
    shared.metrics.http_overload.get_or_create_owned(&Reason::IN_FLIGHT);
    let mut server = Server::build()
        .disable_signals()
        .workers(workers)
        .max_concurrent_connections(settings.max_connections.div_ceil(workers))
        .shutdown_timeout(settings.shutdown_timeout.as_secs());
    for listener in listeners {
        let (settings, shared) = (settings.clone(), web::Data::clone(shared));
        let ending = server.graceful_shutdown_signal();
        server = server.listen("http", listener, move || {
            let patience = Patience::new(&settings, &shared.metrics);
            let application = map_config(application(web::Data::clone(&shared)), |()| AppConfig::default())
                .map_err(|error: actix_web::Error| error.error_response());
            let ending = ending.clone();
            let http = HttpService::build()
                .keep_alive(settings.keep_alive)
                .client_request_timeout(settings.client_request_timeout)
                .client_disconnect_timeout(LINGER)
                // hidden, and what `HttpServer` does itself: idle connections close when the server ends
                .graceful_shutdown_signal(move || {
                    let ending = ending.clone();
                    async move { ending.notified().await }
                })
                .h1(application);
            let shared = web::Data::clone(&shared);
            let connect = fn_service(move |stream: TcpStream| {
                let (patience, shared) = (patience.clone(), web::Data::clone(&shared));
                async move {
                    // or the end of an answer waits for the client's delayed acknowledgement of its beginning
                    stream.set_nodelay(true)?;
                    let peer = stream.peer_addr().ok();
                    Ok((Connection::new(stream, patience, shared), peer))
                }
            });
            connect.and_then(http)
        })?;
    }
    Ok((server.run(), addr))
}

/// One listener for each address that can be listened on; an error when there is none.
fn listen(settings: &config::Server) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    let mut failure = None;
    for addr in (settings.host.as_str(), settings.port).to_socket_addrs()? {
        match listen_on(addr, settings.backlog) {
            Ok(listener) => listeners.push(listener),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(failure) if listeners.is_empty() => Err(failure),
        _ => Ok(listeners),
    }
}

fn listen_on(addr: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // or a restart would have to wait until the connections of the instance before it are forgotten
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(backlog)?.into_std()
}
