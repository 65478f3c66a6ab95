//! The two questions to Redis, over one connection or to all nodes of a Cluster.
//!
//! One server gets one command or one pipeline for all keys. A Cluster refuses pipelines over several slots, and one lost
//! node would fail an MGET over all of them: there each key is a call of its own. They run at the same time, over the one
//! connection to each node.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::Value;
use redis::aio::ConnectionLike;
use tokio::time::timeout;

use super::servers::Connection;
use super::{Failure, Put, PutMode, PutOutcome};

/// One value for each key.
pub(super) struct Answer<T> {
    pub(super) values: Vec<T>,
    /// What went wrong with some of the keys, a lost time before all else. Only a Cluster answers so.
    pub(super) failure: Option<Failure>,
}

/// The values of the keys in their order.
pub(super) async fn get_many(
    connection: Connection,
    keys: &[String],
    left: Duration,
) -> Result<Answer<Option<Vec<u8>>>, Failure> {
    match connection {
        Connection::Server(connection) => whole(left, get(connection, keys)).await,
        Connection::Cluster(connection) => {
            each(keys, left, |_| None, |keys| get(connection.clone(), keys)).await
        }
    }
}

/// Writes, and how each ended.
pub(super) async fn put_many(
    connection: Connection,
    puts: &[Put],
    left: Duration,
) -> Result<Answer<PutOutcome>, Failure> {
    match connection {
        Connection::Server(connection) => whole(left, put(connection, puts)).await,
        Connection::Cluster(connection) => {
            each(puts, left, |_| PutOutcome::Refused, |puts| put(connection.clone(), puts)).await
        }
    }
}

async fn whole<T>(
    left: Duration,
    exchange: impl Future<Output = Result<Vec<T>, Failure>>,
) -> Result<Answer<T>, Failure> {
    let values = timeout(left, exchange).await.map_err(|_| Failure::TimedOut)??;
    Ok(Answer { values, failure: None })
}

/// Asks for each key by itself. Some answers are better than none: it fails when there is not a single one.
async fn each<'a, Key, T, F>(
    keys: &'a [Key],
    left: Duration,
    missing: impl Fn(&Key) -> T,
    ask: impl Fn(&'a [Key]) -> F,
) -> Result<Answer<T>, Failure>
where
    F: Future<Output = Result<Vec<T>, Failure>>,
{
    let mut values: Vec<T> = keys.iter().map(missing).collect();
    let mut failure = None;
    let mut answered = 0;
    let mut asked: FuturesUnordered<_> = keys
        .chunks(1)
        .zip(&mut values)
        .map(|(key, value)| {
            let asked = ask(key);
            async move { asked.await.map(|answer| answer.into_iter().for_each(|one| *value = one)) }
        })
        .collect();
    let in_time = timeout(left, async {
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(()) => answered += 1,
                Err(Failure::TimedOut) => failure = Some(Failure::TimedOut),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
    })
    .await
    .is_ok();
    drop(asked);
    let failure = if in_time { failure } else { Some(Failure::TimedOut) };
    match failure {
        Some(failure) if answered == 0 => Err(failure),
        failure => Ok(Answer { values, failure }),
    }
}

async fn get(mut connection: impl ConnectionLike, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    // not as typed values: redis-rs' error about one of another type quotes it, and it may be a signed URL
    let reply: Value = redis::cmd("MGET").arg(keys).query_async(&mut connection).await?;
    let Value::Array(values) = reply else { return Err(Failure::Odd) };
    if values.len() != keys.len() {
        return Err(Failure::Odd);
    }
    let text = |value| if let Value::BulkString(bytes) = value { Some(bytes) } else { None };
    Ok(values.into_iter().map(text).collect())
}

/// `SET … NX` tells nothing about the value that is there (`NX` with `GET` is newer than Redis 6.2), so a GET follows it in
/// the same round trip. A list or a hash reads as nothing and stops `SET … NX`: those keys are overwritten in a second one.
async fn put(mut connection: impl ConnectionLike, puts: &[Put]) -> Result<Vec<PutOutcome>, Failure> {
    let mut outcomes = Vec::with_capacity(puts.len());
    let mut wrong_types = Vec::new();
    for (place, reply) in
        send(&mut connection, puts.iter().map(|put| (put, put.mode))).await?.into_iter().enumerate()
    {
        outcomes.push(match reply {
            Reply::Ended(outcome) => outcome,
            Reply::WrongType => {
                wrong_types.push(place);
                PutOutcome::Refused
            }
        });
    }
    if !wrong_types.is_empty() {
        let again = wrong_types.iter().map(|place| (&puts[*place], PutMode::Overwrite));
        for (place, reply) in wrong_types.iter().zip(send(&mut connection, again).await?) {
            outcomes[*place] = match reply {
                Reply::Ended(PutOutcome::Stored) => PutOutcome::Replaced,
                Reply::Ended(outcome) => outcome,
                Reply::WrongType => PutOutcome::Refused,
            };
        }
    }
    Ok(outcomes)
}

enum Reply {
    Ended(PutOutcome),
    WrongType,
}

/// One pipeline.
async fn send<'a>(
    connection: &mut impl ConnectionLike,
    puts: impl Iterator<Item = (&'a Put, PutMode)> + Clone,
) -> Result<Vec<Reply>, Failure> {
    let mut pipeline = redis::Pipeline::new();
    for (Put { key, value, ttl, .. }, mode) in puts.clone() {
        let set = pipeline.cmd("SET").arg(key).arg(value.as_slice());
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        match mode {
            PutMode::IfAbsent => set.arg("NX").arg("PX").arg(milliseconds).cmd("GET").arg(key),
            PutMode::Overwrite => set.arg("PX").arg(milliseconds),
        };
    }
    // below `query_async`, which makes the error of one command the error of all
    let replies = match connection.req_packed_commands(&pipeline, 0, pipeline.len()).await {
        Err(error) if error.redirect_node().is_some() => one_by_one(connection, &pipeline).await?,
        replies => replies?,
    };
    if replies.len() != pipeline.len() {
        return Err(Failure::Odd);
    }
    let mut replies = replies.into_iter();
    let ended = puts.map(|(put, mode)| {
        let set = replies.next();
        let found = if mode == PutMode::IfAbsent { replies.next() } else { None };
        read_reply(put, set, found)
    });
    Ok(ended.collect())
}

/// A Cluster's slot is on its way to another node. There, `ASKING` opens it for a single command, and redis-rs sends it once
/// for a whole pipeline: the second command is sent back. It leads single commands to their end.
async fn one_by_one(
    connection: &mut impl ConnectionLike,
    pipeline: &redis::Pipeline,
) -> Result<Vec<Value>, Failure> {
    let mut replies = Vec::with_capacity(pipeline.len());
    for command in pipeline.cmd_iter() {
        replies.push(connection.req_packed_command(command).await?);
    }
    Ok(replies)
}

fn read_reply(put: &Put, set: Option<Value>, found: Option<Value>) -> Reply {
    match (set, found) {
        (Some(Value::Okay), _) => Reply::Ended(PutOutcome::Stored),
        (Some(Value::Nil), Some(Value::BulkString(value))) => Reply::Ended(PutOutcome::Found(value)),
        (Some(Value::Nil), Some(Value::ServerError(error))) if error.code() == "WRONGTYPE" => {
            Reply::WrongType
        }
        (set, found) => {
            // the server's text names a key at most
            tracing::debug!(key = put.key, ?set, found_nothing = found.is_none(), "Redis refused a value");
            Reply::Ended(PutOutcome::Refused)
        }
    }
}
