//! The cache that instances share, against real Redis: what it promises when all is well.

use std::time::Duration;

use beetroot_api::config::{Redis, RedisUrl, Settings};
use beetroot_api::shared_cache::{Put, PutMode, PutOutcome, SharedCache, State, Unavailable};
use beetroot_api::telemetry::metrics::Metrics;

use super::redis_server::RedisServer;

/// For tests of what Redis does, not of how fast: nothing comes near it.
pub const LONG: Duration = Duration::from_secs(10);

pub fn settings(url: &str, deadline: Duration) -> Redis {
    let url = RedisUrl::parse(url).expect("a URL");
    Redis { url: Some(url), deadline, ..Settings::defaults("thumbs").redis }
}

pub fn cache(url: &str, deadline: Duration) -> SharedCache {
    SharedCache::new(&settings(url, deadline), Metrics::default()).expect("a cache")
}

pub fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn put(key: &str, value: &str, mode: PutMode) -> Put {
    Put { key: key.to_owned(), value: value.into(), ttl: Duration::from_secs(100), mode }
}

/// As [`beetroot_api::shared_cache::Session::get_many`] gives it.
#[allow(clippy::unnecessary_wraps, reason = "that is how it comes back")]
pub fn value(text: &str) -> Option<Vec<u8>> {
    Some(text.into())
}

#[actix_web::test]
async fn values_come_back_in_the_order_of_their_keys() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), LONG);
    assert!(cache.is_on());
    let puts = [put("a", "1", PutMode::IfAbsent), put("b", "2", PutMode::Overwrite)];
    let mut session = cache.session();
    assert_eq!(session.put_many(&puts).await.unwrap(), [PutOutcome::Stored, PutOutcome::Stored]);
    let found = session.get_many(&keys(&["b", "none", "a", "b"])).await.unwrap();
    assert_eq!(found, [value("2"), None, value("1"), value("2")]);
    assert_eq!(session.get_many(&[]).await.unwrap(), Vec::<Option<Vec<u8>>>::new());
    assert_eq!(redis.cli(&["get", "a"]), "1");
    assert_eq!(cache.state(), State::Closed);
}

#[actix_web::test]
async fn many_and_large_values_go_in_one_round_trip() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), LONG);
    let names: Vec<String> = (0..400).map(|index| format!("key-{index}")).collect();
    let large = "x".repeat(1500);
    let puts: Vec<Put> =
        names.iter().map(|name| put(name, &format!("{name}{large}"), PutMode::IfAbsent)).collect();
    let mut session = cache.session();
    let outcomes = session.put_many(&puts).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == PutOutcome::Stored));
    let found = session.get_many(&names).await.unwrap();
    assert!(found.iter().zip(&puts).all(|(found, put)| found.as_ref() == Some(&put.value)));
    let calls = redis.cli(&["info", "commandstats"]);
    assert!(calls.contains("cmdstat_mget:calls=1,"), "{calls}");
}

#[actix_web::test]
async fn the_first_writer_wins_and_the_others_learn_its_value() {
    let redis = RedisServer::start();
    let (one, other) = (cache(&redis.url(), LONG), cache(&redis.url(), LONG));
    one.session().put_many(&[put("a", "first", PutMode::IfAbsent)]).await.unwrap();
    let puts = [put("a", "second", PutMode::IfAbsent), put("b", "second", PutMode::IfAbsent)];
    let outcomes = other.session().put_many(&puts).await.unwrap();
    assert_eq!(outcomes, [PutOutcome::Found("first".into()), PutOutcome::Stored]);
    let overwritten = other.session().put_many(&[put("a", "third", PutMode::Overwrite)]).await.unwrap();
    assert_eq!(overwritten, [PutOutcome::Stored]);
    assert_eq!(one.session().get_many(&keys(&["a", "b"])).await.unwrap(), [value("third"), value("second")]);
}

#[actix_web::test]
async fn a_time_to_live_is_set_once_and_no_read_or_lost_race_extends_it() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), LONG);
    cache.session().put_many(&[put("a", "1", PutMode::IfAbsent)]).await.unwrap();
    let ttl = || redis.cli(&["pttl", "a"]).parse::<u64>().unwrap();
    let before = ttl();
    assert!((1..=100_000).contains(&before), "{before}");
    // a minute passes
    redis.cli(&["pexpire", "a", "40000"]);
    let late = Put { ttl: Duration::from_secs(1000), ..put("a", "2", PutMode::IfAbsent) };
    cache.session().put_many(&[late]).await.unwrap();
    cache.session().get_many(&keys(&["a"])).await.unwrap();
    assert!(ttl() <= 40_000);
    let short = Put { ttl: Duration::from_millis(1), ..put("short", "1", PutMode::IfAbsent) };
    cache.session().put_many(&[short]).await.unwrap();
    redis.wait_for(&["exists", "short"], "0");
}

#[actix_web::test]
async fn another_type_reads_as_none_and_is_overwritten_by_first_writers_too() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), LONG);
    redis.cli(&["lpush", "list", "1"]);
    redis.cli(&["hset", "hash", "a", "1"]);
    let mut session = cache.session();
    assert_eq!(session.get_many(&keys(&["list", "hash"])).await.unwrap(), [None, None]);
    let puts = [
        put("list", "1", PutMode::IfAbsent),
        put("good", "1", PutMode::IfAbsent),
        put("hash", "1", PutMode::Overwrite),
    ];
    assert_eq!(
        session.put_many(&puts).await.unwrap(),
        [PutOutcome::Replaced, PutOutcome::Stored, PutOutcome::Stored]
    );
    assert_eq!(redis.cli(&["mget", "list", "hash"]), "1\n1");
}

#[actix_web::test]
async fn any_bytes_are_values_and_any_text_is_a_key() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), LONG);
    let bytes: Vec<u8> = (0..=255).chain(*b"\r\n$-1\r\n").collect();
    let key = "ns:url:x:bucket/ü \r\n*1\0/%2F";
    let garbage = Put { value: bytes.clone(), ..put(key, "", PutMode::IfAbsent) };
    let mut session = cache.session();
    session.put_many(&[garbage, put("empty", "", PutMode::IfAbsent)]).await.unwrap();
    let found = session.get_many(&keys(&[key, "empty"])).await.unwrap();
    assert_eq!(found, [Some(bytes), value("")]);
}

#[actix_web::test]
async fn without_a_url_it_is_off_and_every_call_says_so() {
    let settings = Settings::defaults("thumbs").redis;
    let cache = SharedCache::new(&settings, Metrics::default()).unwrap();
    assert!(!cache.is_on());
    assert_eq!(cache.state(), State::Off);
    let found = cache.session().get_many(&keys(&["a"])).await;
    assert!(matches!(found, Err(Unavailable::Off)), "{found:?}");
    let stored = cache.session().put_many(&[put("a", "1", PutMode::IfAbsent)]).await;
    assert!(matches!(stored, Err(Unavailable::Off)), "{stored:?}");
}

/// A refresh in the background is a task of its own.
#[actix_web::test]
async fn a_session_can_move_to_another_task() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), LONG);
    let task = tokio::spawn(async move {
        let mut session = cache.session();
        session.put_many(&[put("a", "1", PutMode::IfAbsent)]).await.unwrap();
        session.get_many(&keys(&["a"])).await.unwrap()
    });
    assert_eq!(task.await.unwrap(), [value("1")]);
}

#[actix_web::test]
async fn a_database_number_is_used() {
    let redis = RedisServer::start();
    let cache = cache(&format!("{}/3", redis.url()), LONG);
    cache.session().put_many(&[put("a", "1", PutMode::IfAbsent)]).await.unwrap();
    assert_eq!(redis.cli(&["-n", "3", "get", "a"]), "1");
    assert_eq!(redis.cli(&["exists", "a"]), "0");
}
