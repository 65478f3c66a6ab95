//! The least that actix can do: bodies from memory, without a header of the contract's. What `load-tests/run side-by-side`
//! measures the service against.
//!
//! `cargo run --example floor -- PORT PATH=FILE…`: answers each path with the bytes of a file, as JSON. One worker.

use std::error::Error;

use actix_web::{App, HttpResponse, HttpServer, web};
use bytes::Bytes;
use mimalloc::MiMalloc;

/// The product's, so that it is not what is compared.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: floor PORT PATH=FILE…";
    let port: u16 = arguments.next().ok_or(usage)?.parse()?;
    let mut bodies: Vec<(String, Bytes)> = Vec::new();
    for argument in arguments {
        let (path, file) = argument.split_once('=').ok_or(usage)?;
        bodies.push((path.to_owned(), std::fs::read(file)?.into()));
    }
    let server = HttpServer::new(move || {
        bodies.iter().cloned().fold(App::new(), |app, (path, body)| {
            let answer = move || {
                let body = body.clone();
                async { HttpResponse::Ok().content_type("application/json").body(body) }
            };
            app.route(&path, web::get().to(answer))
        })
    });
    // as the service does it: the end of a large answer does not wait for the client's delayed ACK
    server.workers(1).tcp_nodelay(true).bind(("127.0.0.1", port))?.run().await?;
    Ok(())
}
