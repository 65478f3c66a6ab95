//! DynamoDB and S3 inside this process, for the demo, the tests and the benchmarks.
//!
//! Both speak their real protocol on 127.0.0.1, so that the clients in front of them are the AWS SDK's own.
//! They count what they receive and can be told to misbehave. Nothing here is for production: the data lives
//! until [`Emulators`] is dropped. This folder uses no other module of the crate.

pub mod collection;
mod cores;
mod draw;
mod dynamodb;
pub mod folder;
mod jpeg_end;
mod s3;
mod sample;
pub mod seed;
mod server;
#[cfg(test)]
mod testing;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

pub use self::{
    collection::Collection,
    dynamodb::DynamoDbEmulator,
    s3::{CorsRules, S3Emulator},
    sample::sample,
};

/// The path under which each emulator tells what it was asked for, as JSON. No bucket can be called so.
pub const COUNTS_PATH: &str = "/_counts";
/// The access key that the emulated S3 knows from the start. The emulated DynamoDB takes any.
pub const ACCESS_KEY_ID: &str = "AKIABEETROOTDEMO0001";
/// The secret key that goes with [`ACCESS_KEY_ID`]. It protects nothing.
pub const SECRET_ACCESS_KEY: &str = "beetroot-demo-secret-that-protects-nothing";
/// The region to sign for. The emulators take any; this one is what the demo and the tests use.
pub const REGION: &str = "eu-central-1";

/// How long a stop waits for the emulators' threads. What still runs then is left to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The ports that the emulators listen on. `0` takes any free one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ports {
    /// The port of the emulated DynamoDB.
    pub dynamodb: u16,
    /// The port of the emulated S3.
    pub s3: u16,
}

/// Why the emulators could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// Somebody else listens there.
    #[error(
        "port {port} on {host} is already in use, and {service} wanted it (port 0 takes any that is free)"
    )]
    PortTaken {
        /// The address with the port.
        host: IpAddr,
        /// The emulator that wanted the port.
        service: &'static str,
        /// The port that it wanted.
        port: u16,
    },
    /// The system refuses to listen for another reason, for example a port that needs privileges.
    #[error("{service} cannot listen on port {port} of {host}")]
    Listen {
        /// The address with the port.
        host: IpAddr,
        /// The emulator that wanted the port.
        service: &'static str,
        /// The port that it wanted.
        port: u16,
        /// What the system answered.
        source: io::Error,
    },
    /// No database in memory.
    #[error("the emulated DynamoDB cannot open its database: {0}")]
    Database(String),
    /// No threads for the emulators, or no temporary file for large objects.
    #[error("the system refuses what the emulators need")]
    System(#[from] io::Error),
}

/// How far a long piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many pieces are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// Both emulators, running. Dropping it stops them and forgets their data.
///
/// They have threads of their own, because the database blocks the thread that it works on.
#[derive(Debug)]
pub struct Emulators {
    dynamodb: DynamoDbEmulator,
    dynamodb_address: SocketAddr,
    s3: S3Emulator,
    s3_address: SocketAddr,
    /// Taken by the drop.
    runtime: Option<Runtime>,
}

impl Emulators {
    /// Starts both emulators on 127.0.0.1. They answer as soon as this returns.
    pub fn start(ports: Ports) -> Result<Self, EmulatorError> {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), ports)
    }

    /// Starts both emulators on an address of this machine.
    pub fn start_on(host: IpAddr, ports: Ports) -> Result<Self, EmulatorError> {
        let (dynamodb_listener, dynamodb_address) = listen("the emulated DynamoDB", host, ports.dynamodb)?;
        let (s3_listener, s3_address) = listen("the emulated S3", host, ports.s3)?;
        let dynamodb = DynamoDbEmulator::new()?;
        let s3 = S3Emulator::new()?;
        s3.add_credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None);

        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("emulators").enable_all().build()?;
        {
            let _context = runtime.enter();
            let dynamodb = dynamodb.clone();
            let s3 = s3.clone();
            runtime.spawn(server::serve(
                tokio::net::TcpListener::from_std(dynamodb_listener)?,
                move |request| dynamodb.clone().answer(request),
            ));
            runtime.spawn(server::serve(tokio::net::TcpListener::from_std(s3_listener)?, move |request| {
                s3.clone().answer(request)
            }));
        }
        Ok(Self { dynamodb, dynamodb_address, s3, s3_address, runtime: Some(runtime) })
    }

    /// The address of the emulated DynamoDB, as the SDK's `endpoint_url` takes it: `http://127.0.0.1:PORT`.
    pub fn dynamodb_endpoint(&self) -> String {
        format!("http://{}", self.dynamodb_address)
    }

    /// The address of the emulated S3, as the SDK's `endpoint_url` takes it; buckets are addressed by path.
    pub fn s3_endpoint(&self) -> String {
        format!("http://{}", self.s3_address)
    }

    /// Counters and faults of the emulated DynamoDB.
    pub fn dynamodb(&self) -> &DynamoDbEmulator {
        &self.dynamodb
    }

    /// Counters and credentials of the emulated S3.
    pub fn s3(&self) -> &S3Emulator {
        &self.s3
    }

    /// Stops both and frees their ports. The same as dropping.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Emulators {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime must not be shut down on a thread of another runtime, and a test drops this on one.
            let closing = thread::spawn(move || runtime.shutdown_timeout(STOP_TIMEOUT));
            // It can only fail by a panic of the shutdown, and a drop has nobody to tell.
            let _ = closing.join();
        }
    }
}

fn listen(
    service: &'static str,
    host: IpAddr,
    port: u16,
) -> Result<(TcpListener, SocketAddr), EmulatorError> {
    let listen = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => EmulatorError::PortTaken { host, service, port },
        _ => EmulatorError::Listen { host, service, port, source },
    };
    let listener = TcpListener::bind((host, port)).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_who_wanted_it() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();

        let error = Emulators::start(Ports { dynamodb: 0, s3: port }).unwrap_err();

        let text = error.to_string();
        assert!(text.contains(&port.to_string()) && text.contains("emulated S3"), "{text}");
    }

    #[tokio::test]
    async fn stopping_inside_another_runtime_frees_the_ports() {
        let emulators = Emulators::start(Ports::default()).unwrap();
        let ports = Ports { dynamodb: emulators.dynamodb_address.port(), s3: emulators.s3_address.port() };
        let client = reqwest::Client::new();
        assert!(client.get(emulators.s3_endpoint()).send().await.is_ok());

        emulators.stop();

        let again = Emulators::start(ports).unwrap();
        assert_eq!(again.s3_address.port(), ports.s3);
    }
}
