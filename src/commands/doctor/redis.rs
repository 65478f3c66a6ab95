//! Redis: whether it is there, takes what the service writes, keeps it sensibly, and allows what is needed and no more.
//! Writes one key of its own, for some seconds.

use std::collections::HashMap;
use std::time::Duration;

use super::explain::chain;
use super::finding::Finding;
use super::{explain_redis, redis_rights};
use crate::clock::Stopwatch;
use crate::config::{self, RedisKind, RedisUrl};
use crate::shared_cache::{Console, Failure, SharedCache, Unavailable};
use crate::telemetry::metrics::Metrics;

const CONNECTION: &str = "redis";
const VERSION: &str = "redis.version";
const WRITE: &str = "redis.write";
const MEMORY: &str = "redis.memory";

/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the doctor's key stays, in milliseconds.
pub(super) const KEY_MILLISECONDS: &str = "5000";
/// The oldest version that the service is tried with.
const OLDEST: (u32, u32) = (6, 2);
/// What the checks of one Redis share.
struct Examined<'a> {
    console: Console,
    url: &'a RedisUrl,
    namespace: &'a str,
    /// The lines of `INFO`; `None` when it is not allowed.
    info: Option<HashMap<String, String>>,
    /// The doctor's own key.
    key: String,
}

/// `settings` are those of the service, with its deadline.
pub(super) async fn check(settings: &config::Redis) -> Vec<Finding> {
    let Some(url) = &settings.url else {
        return vec![Finding::warn(
            CONNECTION,
            "off: REDIS_URL is not set",
            "fine for one instance; several with credentials of their own then hand out different URLs for one picture, and browsers \
             fetch it again",
        )];
    };
    // the service goes on without an answer that comes late; the doctor wants to see it
    let patient = config::Redis { deadline: settings.deadline.max(PATIENCE), ..settings.clone() };
    let cache = match SharedCache::new(&patient, Metrics::default()) {
        Ok(cache) => cache,
        Err(error) => {
            return vec![Finding::fail(CONNECTION, chain(&error), "correct REDIS_URL or redis.ca_file")];
        }
    };
    let console = match cache.console().await {
        Ok(console) => console,
        Err(error) => return not_reached(url, &error),
    };
    let key = format!("{}:doctor:{:016x}", settings.namespace, fastrand::u64(..));
    let waited = Stopwatch::start();
    let read = console.ask(&["MGET", &key]).await;
    let waited = waited.elapsed();
    // a connection may come about with a server that wants TLS or a password: only the first command is refused then
    if let Err(failure) = read
        && matches!(failure.code(), None | Some("NOAUTH"))
    {
        return not_reached(url, &Unavailable::Failed { redis: url.to_string(), failure });
    }
    let info = console.ask(&["INFO"]).await;
    let info = info.ok().flatten().map(|text| read_info(&text));
    let examined = Examined { console, url, namespace: &settings.namespace, info, key };
    vec![
        examined.connection(waited, settings.deadline),
        examined.version(),
        examined.write().await,
        examined.memory(),
        redis_rights::check(&examined.console, url, &settings.namespace, &examined.key).await,
    ]
}

fn not_reached(url: &RedisUrl, error: &Unavailable) -> Vec<Finding> {
    let mut findings = vec![explain_redis::connection(url, error).fails(CONNECTION)];
    findings.extend(
        [VERSION, WRITE, MEMORY, redis_rights::ID]
            .map(|id| Finding::skip(id, "because there is no connection to Redis")),
    );
    findings
}

fn read_info(text: &str) -> HashMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.trim_end().split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Examined<'_> {
    fn info(&self, name: &str) -> Option<&str> {
        self.info.as_ref()?.get(name).map(String::as_str)
    }

    /// `waited` for one answer.
    fn connection(&self, waited: Duration, deadline: Duration) -> Finding {
        let url = self.url;
        if waited > deadline {
            return Finding::warn(
                CONNECTION,
                format!(
                    "{url} answers after {} ms, beyond redis.deadline, {} ms",
                    waited.as_millis(),
                    deadline.as_millis()
                ),
                "requests go on without it: bring it nearer (same region, same zone), or raise redis.deadline",
            );
        }
        let is_local = url.nodes.iter().all(|(host, _)| is_loopback(host));
        let found = format!("{url} answers, {}", if url.tls { "with TLS" } else { "without TLS" });
        if !url.tls && !is_local && url.password.is_some() {
            return Finding::warn(
                CONNECTION,
                found,
                "the password and signed URLs cross the network in the clear: write rediss:// when the server has TLS",
            );
        }
        Finding::ok(CONNECTION, found)
    }

    fn version(&self) -> Finding {
        let (name, version) = match (self.info("valkey_version"), self.info("redis_version")) {
            (Some(version), _) => ("Valkey", version),
            (None, Some(version)) => ("Redis", version),
            (None, None) => return Finding::skip(VERSION, "because this user may not ask for INFO"),
        };
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        let found = format!("{name} {version}");
        match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) if (major, minor) < OLDEST => Finding::warn(
                VERSION,
                found,
                format!("use {}.{} or newer: the service is not tried with older ones", OLDEST.0, OLDEST.1),
            ),
            _ => Finding::ok(VERSION, found),
        }
    }

    /// As the service writes: whoever is first wins.
    async fn write(&self) -> Finding {
        if self.info("redis_mode") == Some("cluster") && self.url.kind == RedisKind::Standalone {
            return Finding::fail(
                WRITE,
                "it is a Cluster, and REDIS_URL names a single server: keys of other nodes would fail",
                "write redis+cluster:// (or rediss+cluster://) and some of its nodes in REDIS_URL",
            );
        }
        let set = ["SET", &self.key, "doctor", "NX", "PX", KEY_MILLISECONDS];
        let written = async {
            let first = self.console.ask(&set).await?;
            let second = self.console.ask(&set).await?;
            let found = self.console.ask(&["MGET", &self.key]).await?;
            Ok::<_, Failure>((first, second, found))
        };
        match written.await {
            Ok((Some(first), None, Some(found))) if first == "OK" && found == "doctor" => {
                Finding::ok(WRITE, format!("SET NX works ({}, gone in 5 s)", self.key))
            }
            Ok(_) => Finding::fail(
                WRITE,
                "SET NX does not do what Redis does",
                "name a Redis or a Valkey in REDIS_URL: a proxy or another product answers otherwise",
            ),
            Err(failure) => explain_redis::write(&failure, self.namespace).fails(WRITE),
        }
    }

    fn memory(&self) -> Finding {
        let Some(policy) = self.info("maxmemory_policy") else {
            return Finding::skip(
                MEMORY,
                "because this user may not ask for INFO memory, or this server does not tell its policy",
            );
        };
        let bytes = |name| self.info(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        let (most, used) = (bytes("maxmemory"), bytes("used_memory"));
        let evicted = bytes("evicted_keys");
        match (most, policy) {
            (0, _) => Finding::ok(MEMORY, format!("no maxmemory, {} used, policy {policy}", mebibytes(used))).with_advice(
                "every key of the service has a time to live; where Redis shares a machine, set a maxmemory with volatile-ttl",
            ),
            (_, "noeviction") => Finding::warn(
                MEMORY,
                format!("noeviction, {} of {} used", mebibytes(used), mebibytes(most)),
                "set maxmemory-policy volatile-ttl: a full Redis refuses new URLs, an evicted URL is just put back",
            ),
            _ => Finding::ok(MEMORY, format!("{policy}, {} of {} used, {evicted} keys evicted so far", mebibytes(used), mebibytes(most))),
        }
    }
}

/// With one digit after the point, rounded down.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
