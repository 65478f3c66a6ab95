//! `beetroot-api health`: whether a service on this machine is alive, for a container's health check, which has no other
//! program to ask with.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CommandError, load_settings};
use crate::cli::HealthArgs;
use crate::config::Server;

/// The longest that the answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why it is not healthy.
#[derive(Debug, thiserror::Error)]
pub(super) enum HealthError {
    #[error("{0} is not an address to ask: http://HOST[:PORT][/PATH] is")]
    Address(String),
    #[error("{url} does not answer")]
    Silent { url: String, source: io::Error },
    #[error("{url} answers {found}, not 200")]
    Unwell { url: String, found: String },
}

pub(super) async fn health(config_file: Option<PathBuf>, args: HealthArgs) -> Result<(), CommandError> {
    let url = match args.url {
        Some(url) => url,
        None => own_url(&load_settings(config_file)?.settings.server),
    };
    Ok(ask(url).await?)
}

/// Where the service of these settings tells that it is alive.
fn own_url(server: &Server) -> String {
    let host = match server.host.as_str() {
        // every address includes this one
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    format!("http://{host}:{}/healthz", server.port)
}

async fn ask(url: String) -> Result<(), HealthError> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
    let Some((uri, authority)) = uri.as_ref().and_then(|uri| Some((uri, uri.authority()?))) else {
        return Err(HealthError::Address(url));
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\n\r\n");

    let status = tokio::time::timeout(PATIENCE, status_line(host, port, &request)).await;
    let status = status.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    match status {
        Err(source) => Err(HealthError::Silent { url, source }),
        Ok(line) if line.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(found) => Err(HealthError::Unwell { url, found }),
    }
}

async fn status_line(host: &str, port: u16, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = [0; 256];
    let mut filled = 0;
    while filled < answer.len() && !answer[..filled].contains(&b'\n') {
        match stream.read(&mut answer[filled..]).await? {
            0 => break,
            read => filled += read,
        }
    }
    let line = answer[..filled].split(|byte| *byte == b'\r').next().unwrap_or_default();
    // what answers may be anything: only what can be shown
    Ok(String::from_utf8_lossy(line).chars().filter(|character| !character.is_control()).collect())
}
