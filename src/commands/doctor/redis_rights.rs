//! Whether Redis' access control list allows what the service needs, and no more. It is tried, with commands that change
//! nothing: asking for the list itself would be a right that the service must not have.

use super::finding::Finding;
use super::redis::KEY_MILLISECONDS;
use crate::config::RedisUrl;
use crate::shared_cache::{Console, commands_needed};

pub(super) const ID: &str = "redis.acl";
/// Nobody's key, outside of every namespace.
const FOREIGN_KEY: &str = "beetroot-doctor-looks-whether-it-may-read-this";

/// `key` is the doctor's own.
pub(super) async fn check(console: &Console, url: &RedisUrl, namespace: &str, key: &str) -> Finding {
    let (mut refused, mut failed) = (Vec::new(), None);
    for command in commands_needed(&url.kind, url.database) {
        let Some(trial) = trial(command, key, url) else { continue };
        let trial: Vec<&str> = trial.iter().map(String::as_str).collect();
        match console.ask(&trial).await {
            Ok(_) => {}
            Err(failure) if failure.code() == Some("NOPERM") => refused.push(command),
            // full or a replica: it is allowed, and told elsewhere
            Err(failure) if matches!(failure.code(), Some("OOM" | "READONLY")) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    if !refused.is_empty() {
        return Finding::fail(
            ID,
            format!("the user may not {}", refused.join(", ")),
            format!(
                "allow it on ~{namespace}:*; `beetroot-api policy redis-acl` prints the user's whole line"
            ),
        );
    }
    if let Some(failure) = failed {
        return Finding::skip(ID, &format!("because Redis answers {failure}"));
    }
    let user = console.ask(&["ACL", "WHOAMI"]).await.ok().flatten();
    let user = user.map_or_else(|| "the user".to_owned(), |user| format!("user {user}"));
    let mut wide = Vec::new();
    for (command, means) in [
        (["GET", FOREIGN_KEY].as_slice(), "read keys outside of its namespace"),
        (&["DBSIZE"], "count all keys"),
        (&["CONFIG", "GET", "maxmemory"], "read the configuration"),
    ] {
        if console.ask(command).await.is_ok() {
            wide.push(means);
        }
    }
    if wide.is_empty() {
        return Finding::ok(ID, format!("{user} may do what is needed, and nothing else that was tried"));
    }
    Finding::warn(
        ID,
        format!("{user} may also {}", wide.join(", ")),
        "whoever gets in as this user reads and deletes what others keep there: give the service a user of its own \
         (`beetroot-api policy redis-acl`)",
    )
}

/// What shows whether a command is allowed, and changes nothing.
fn trial(command: &str, key: &str, url: &RedisUrl) -> Option<Vec<String>> {
    let words: &[&str] = match command {
        "get" => &["GET", key],
        "mget" => &["MGET", key],
        "set" => &["SET", key, "doctor", "XX", "PX", KEY_MILLISECONDS],
        "ping" => &["PING"],
        "unwatch" => &["UNWATCH"],
        "role" => &["ROLE"],
        "cluster|slots" => &["CLUSTER", "SLOTS"],
        "select" => {
            let database = url.database.to_string();
            return Some(vec!["SELECT".to_owned(), database]);
        }
        // changes what the next command on this connection means
        _ => return None,
    };
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}
