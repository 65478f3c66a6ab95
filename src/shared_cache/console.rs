//! Single commands over the connections that requests use: for whoever looks what is wrong with Redis.

use redis::Value;
use redis::aio::ConnectionLike;
use tokio::time::timeout;

use super::servers::{self, Connection};
use super::{Failure, SharedCache, Unavailable};

/// One connection, whatever the breaker says.
pub struct Console {
    connection: Connection,
    deadline: std::time::Duration,
}

impl SharedCache {
    /// Connects as a request does, except that it waits as long as connecting may take.
    pub async fn console(&self) -> Result<Console, Unavailable> {
        let shared = self.0.as_ref().ok_or(Unavailable::Off)?;
        // Sentinels and Clusters are two connections, one after the other
        let patience = servers::CONNECT_TIMEOUT * 2 + shared.deadline;
        let connected = shared.connect(patience).await;
        let connection = connected.map_err(|failure| shared.unavailable(failure))?;
        Ok(Console { connection, deadline: shared.deadline })
    }
}

impl Console {
    /// Sends one command and waits `redis.deadline` for its answer, as text: `None` for nothing, the parts of a list on lines
    /// of their own. Where a Cluster's nodes answer each for itself, the answer of one of them.
    pub async fn ask(&self, command: &[&str]) -> Result<Option<String>, Failure> {
        let mut cmd = redis::Cmd::new();
        for part in command {
            cmd.arg(*part);
        }
        let reply = timeout(self.deadline, async {
            match self.connection.clone() {
                Connection::Server(mut connection) => send(&mut connection, &cmd).await,
                Connection::Cluster(mut connection) => send(&mut connection, &cmd).await,
            }
        });
        let reply = reply.await.map_err(|_| Failure::TimedOut)??;
        text(reply)
    }
}

async fn send(connection: &mut impl ConnectionLike, cmd: &redis::Cmd) -> Result<Value, Failure> {
    Ok(connection.req_packed_command(cmd).await?)
}

fn text(reply: Value) -> Result<Option<String>, Failure> {
    Ok(match reply {
        Value::Nil => None,
        Value::ServerError(error) => return Err(Failure::Redis(error.into())),
        Value::Okay => Some("OK".to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Value::Array(parts) => {
            let parts = parts.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
            Some(parts.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("\n"))
        }
        Value::Map(nodes) => match nodes.into_iter().next() {
            Some((_, answer)) => text(answer)?,
            None => None,
        },
        _ => return Err(Failure::Odd),
    })
}
