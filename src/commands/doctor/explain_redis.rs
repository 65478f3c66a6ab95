//! What Redis says when it refuses, and what that usually means. None of it holds a password.

use super::explain::no_connection;
use super::finding::Trouble;
use crate::config::{RedisKind, RedisUrl};
use crate::shared_cache::{Failure, Unavailable};

/// Why there is no connection.
pub(super) fn connection(url: &RedisUrl, error: &Unavailable) -> Trouble {
    let (code, reason) = match error {
        Unavailable::Failed { failure, .. } => (failure.code(), failure.to_string()),
        other => (None, other.to_string()),
    };
    let found = format!("{url}: {reason}");
    let lower = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if code == Some("NOAUTH") || says(&["noauth", "authentication required"]) {
        return Trouble::new(
            found,
            "it wants a password, and REDIS_URL has none: redis://:PASSWORD@host or redis://USER:PASSWORD@host (that of Sentinels is \
             redis.sentinel_password)",
        );
    }
    if code == Some("WRONGPASS")
        || says(&[
            "wrongpass",
            "invalid password",
            "invalid username",
            "authentication failed",
            "password authentication",
        ])
    {
        return Trouble::new(
            found,
            "user or password in REDIS_URL is wrong (characters such as % in it must be percent-encoded), or the server has none at all",
        );
    }
    if says(&["db index is out of range"]) {
        return Trouble::new(
            found,
            "there is no database of this number: correct the number at the end of REDIS_URL",
        );
    }
    if says(&["cluster support disabled", "this instance has cluster support disabled"]) {
        return Trouble::new(
            found,
            "it is a single server, not a Cluster: write redis:// instead of redis+cluster://",
        );
    }
    if url.tls && says(&["certificate"]) {
        return Trouble::new(
            found,
            "its certificate is not trusted here: name its authority in redis.ca_file (PEM), and in REDIS_URL the host that the \
             certificate is for",
        );
    }
    if url.tls && matches!(error, Unavailable::Failed { failure: Failure::TimedOut, .. }) {
        return Trouble::new(
            found,
            "no TLS handshake in time: a port without TLS (then write redis:// instead of rediss://), a firewall or a security group",
        );
    }
    let wants_plain = url.tls
        && says(&[
            "corrupt message",
            "invalidcontenttype",
            "wrong version",
            "unexpected eof",
            "protocol",
            "handshake",
            "close_notify",
        ]);
    if wants_plain {
        return Trouble::new(
            found,
            "it does not speak TLS on this port: write redis:// instead of rediss://, or name its TLS port",
        );
    }
    if !url.tls
        && says(&[
            "unexpected eof",
            "end of file",
            "connection reset",
            "broken pipe",
            "closed",
            "dropped",
            "parse",
            "not an error",
            "unexpected",
        ])
    {
        return Trouble::new(
            found,
            "a port that wants TLS? Then write rediss:// instead of redis:// (ElastiCache with encryption in transit wants that); or \
             something else than Redis listens there",
        );
    }
    let sentinel = matches!(url.kind, RedisKind::Sentinel { .. });
    if sentinel && !says(&["refused", "lookup", "certificate"]) {
        return Trouble::new(
            found,
            "do the nodes of REDIS_URL name Sentinels (port 26379) and not servers, does the master's name after the slash exist there, \
             and is redis.sentinel_password right?",
        );
    }
    no_connection("Redis", &url.to_string(), "REDIS_URL", &reason)
}

/// Why it does not take a key of this namespace.
pub(super) fn write(failure: &Failure, namespace: &str) -> Trouble {
    let found = failure.to_string();
    match failure.code() {
        Some("READONLY") => Trouble::new(
            found,
            "it is a read-only replica: name the primary endpoint in REDIS_URL (with Sentinels, redis+sentinel://)",
        ),
        Some("OOM") => Trouble::new(
            found,
            "it is full and throws nothing away: set maxmemory-policy volatile-ttl (or any but noeviction), or give it more memory",
        ),
        Some("NOPERM") => Trouble::new(
            found,
            format!(
                "allow the user get, mget and set on ~{namespace}:*; `beetroot-api policy redis-acl` prints its whole line"
            ),
        ),
        Some("MOVED" | "CROSSSLOT" | "CLUSTERDOWN") => Trouble::new(
            found,
            "it is a Cluster, or one that lacks a node: write redis+cluster:// and some of its nodes in REDIS_URL",
        ),
        Some("MISCONF") => Trouble::new(
            found,
            "it cannot save to its disk and therefore takes no writes: turn persistence off (save \"\"), the service needs none",
        ),
        Some("LOADING" | "MASTERDOWN" | "TRYAGAIN") => {
            Trouble::new(found, "it is starting or failing over: ask again in a minute")
        }
        _ if found.contains("unknown command") => Trouble::new(
            found,
            "this is no Redis for data: a Sentinel's port? Then write redis+sentinel://host:port/master-name",
        ),
        None => Trouble::new(
            found,
            "it connected, and then gave no answer: look at its log and load (a slow command blocks all others)",
        ),
        Some(_) => Trouble::new(found, "Redis' documentation explains this word"),
    }
}
