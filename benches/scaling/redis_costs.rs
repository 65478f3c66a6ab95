//! What a URL and the place of a photo cost a real `redis-server`: bytes, and processor time.
//!
//! URLs are written and read by the service's own `UrlBook`, with its keys and times to live. The bytes do not depend on the
//! machine; the microseconds do.

use std::fmt::Write as _;
use std::time::Duration;

use beetroot_api::clock::Clock;
use beetroot_api::config::{self, Settings};
use beetroot_api::domain::{AllowList, ObjectRef};
use beetroot_api::shared_cache::{Put, PutMode, PutOutcome, SharedCache};
use beetroot_api::telemetry::metrics::{Lookup, Metrics};
use beetroot_api::urls::{Credentials, HandedOut, Schedule, Sharing, UrlBook};
use fastrand::Rng;

use crate::photo;
use crate::support::redis_server::RedisServer;

const OBJECTS: usize = 100_000;
/// A page of a person.
const KEYS_PER_CALL: usize = 100;
const SEAL_HEX_DIGITS: usize = 32;
/// Not the service's 100 ms: a busy machine must not turn a measurement into misses.
const PATIENCE: Duration = Duration::from_secs(30);

/// One kind of value.
pub struct Cost {
    pub key_bytes: usize,
    pub value_bytes: usize,
    /// Of `used_memory`, with the tables of keys and of times to live.
    pub redis_bytes: f64,
    /// Processor time of Redis for a URL that is signed: looked for, written, and read back.
    pub write_micros: f64,
    /// Processor time of Redis for one of the keys of an `MGET`.
    pub read_micros: f64,
    /// And when each key is a `GET` of its own, as in a Cluster.
    pub single_read_micros: f64,
}

pub async fn of_urls(token_bytes: usize, rng: &mut Rng) -> Cost {
    let redis = RedisServer::start();
    let objects: Vec<_> = (0..OBJECTS).map(|_| Some(photo::object_of_usual_length(rng))).collect();
    let before = Used::by(&redis);
    let (written, metrics) = ask_for(&objects, &redis, token_bytes).await;
    assert_eq!(metrics.urls_signed.get(), OBJECTS as u64);
    let filled = Used::by(&redis);
    // an instance that has just started
    let (read, metrics) = ask_for(&objects, &redis, token_bytes).await;
    assert_eq!(metrics.url_lookups.get_or_create(&Lookup::redis(true)).get(), OBJECTS as u64);
    assert!(written.iter().zip(&read).all(|(written, read)| written.url == read.url));
    let after = Used::by(&redis);
    let keys = redis.cli(&["RANDOMKEY"]).len();
    Cost {
        key_bytes: keys,
        value_bytes: read[0].url.expose().len(),
        redis_bytes: (filled.bytes - before.bytes) / OBJECTS as f64,
        write_micros: (filled.micros - before.micros) / OBJECTS as f64,
        read_micros: (after.micros - filled.micros) / OBJECTS as f64,
        single_read_micros: one_by_one(&redis).await,
    }
}

/// Bytes of a photo's place: written here as `catalog::PhotoLocations` does, which would need a table.
pub async fn of_places(rng: &mut Rng) -> Cost {
    let redis = RedisServer::start();
    let mut session = SharedCache::new(&settings(&redis), Metrics::default()).unwrap().session();
    let puts: Vec<_> = (0..OBJECTS)
        .map(|_| {
            let id = photo::uuid(rng);
            let place = format!(
                r#"{{"bucket":"beetroot-raw","key":"photos-raw/{id}.jpg","row":true,"until":1795351046}}"#
            );
            let seal = "5".repeat(SEAL_HEX_DIGITS);
            Put {
                key: format!("beetroot:photo:{id}"),
                value: format!("{place} {seal}").into_bytes(),
                ttl: Duration::from_secs(3600),
                mode: PutMode::IfAbsent,
            }
        })
        .collect();
    let before = Used::by(&redis);
    for puts in puts.chunks(KEYS_PER_CALL) {
        let outcomes = session.put_many(puts).await.unwrap();
        assert!(outcomes.iter().all(|outcome| *outcome == PutOutcome::Stored));
    }
    let filled = Used::by(&redis);
    let keys: Vec<_> = puts.iter().map(|put| put.key.clone()).collect();
    for keys in keys.chunks(KEYS_PER_CALL) {
        assert!(session.get_many(keys).await.unwrap().iter().all(Option::is_some));
    }
    let after = Used::by(&redis);
    Cost {
        key_bytes: puts[0].key.len(),
        value_bytes: puts[0].value.len(),
        redis_bytes: (filled.bytes - before.bytes) / OBJECTS as f64,
        write_micros: (filled.micros - before.micros) / OBJECTS as f64,
        read_micros: (after.micros - filled.micros) / OBJECTS as f64,
        single_read_micros: one_by_one(&redis).await,
    }
}

fn settings(redis: &RedisServer) -> config::Redis {
    let mut settings = Settings::defaults(photo::BUCKET).redis;
    settings.url = Some(config::RedisUrl::parse(&redis.url()).unwrap());
    settings.deadline = PATIENCE;
    settings
}

/// URLs from an instance without memory of its own, and what it has counted.
async fn ask_for(
    objects: &[Option<ObjectRef>],
    redis: &RedisServer,
    token_bytes: usize,
) -> (Vec<HandedOut>, Metrics) {
    let (metrics, sdk) = (Metrics::default(), photo::sdk(token_bytes));
    let defaults = Settings::defaults(photo::BUCKET);
    let (expires, margin) = (defaults.presign.expires, defaults.presign.margin);
    let provider = sdk.credentials_provider().unwrap();
    let book = UrlBook::new(
        Clock::System,
        metrics.clone(),
        AllowList::default(),
        photo::endpoints(&sdk),
        Credentials::new(provider, Clock::System, expires, margin),
        Schedule::new(expires, margin),
        Sharing {
            namespace: defaults.redis.namespace.clone(),
            confirm: defaults.cache.confirm,
            local_bytes: 1 << 20,
        },
    );
    let shared = SharedCache::new(&settings(redis), metrics.clone()).unwrap();
    let mut urls = Vec::new();
    for objects in objects.chunks(KEYS_PER_CALL) {
        urls.extend(book.urls(objects, &mut shared.session()).await.unwrap().into_iter().map(Option::unwrap));
    }
    (urls, metrics)
}

/// Processor time of Redis for a `GET` in a stream of them, as the connection to a node of a Cluster carries them.
async fn one_by_one(redis: &RedisServer) -> f64 {
    let client = redis::Client::open(redis.url()).unwrap();
    let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
    let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("beetroot:*").query_async(&mut connection).await.unwrap();
    assert_eq!(keys.len(), OBJECTS);
    let before = Used::by(redis);
    for keys in keys.chunks(KEYS_PER_CALL) {
        let mut gets = redis::pipe();
        for key in keys {
            gets.get(key);
        }
        let _: Vec<Vec<u8>> = gets.query_async(&mut connection).await.unwrap();
    }
    (Used::by(redis).micros - before.micros) / keys.len() as f64
}

/// What a Redis has used until now.
struct Used {
    bytes: f64,
    micros: f64,
}

impl Used {
    fn by(redis: &RedisServer) -> Self {
        let mut info = redis.cli(&["INFO", "memory"]);
        let _ = write!(info, "\n{}", redis.cli(&["INFO", "cpu"]));
        let number = |name: &str| -> f64 {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok()).unwrap()
        };
        let seconds = number("used_cpu_user_main_thread") + number("used_cpu_sys_main_thread");
        Self { bytes: number("used_memory"), micros: seconds * 1e6 }
    }
}
