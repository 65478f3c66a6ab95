//! The cache that instances share, when Redis fails: it costs at most a deadline, then nothing, and is used again by itself.

use std::time::Duration;

use beetroot_api::clock::Stopwatch;
use beetroot_api::shared_cache::{Failure, PutMode, PutOutcome, Session, SharedCache, State, Unavailable};

use beetroot_api::telemetry::metrics::{Call, Metrics};

use super::fault_proxy::{Fault, FaultProxy};
use super::redis_server::RedisServer;
use super::shared_cache::{LONG, cache, keys, put, settings, value};

/// That of production.
const DEADLINE: Duration = Duration::from_millis(100);
/// A deadline and what a busy machine may add to it.
const DEADLINE_WITH_SLACK: Duration = Duration::from_secs(2);
/// Redis is back, and within this somebody uses it; 5 seconds and what a busy machine may add.
const RECOVERY: Duration = Duration::from_secs(10);

/// One request: reads and writes a key. Whatever comes of it, it comes soon.
pub async fn request(cache: &SharedCache) -> Result<Vec<PutOutcome>, Unavailable> {
    let waited = Stopwatch::start();
    let mut session = cache.session();
    let read = session.get_many(&keys(&["a", "b"])).await;
    let written = session.put_many(&[put("b", "2", PutMode::Overwrite)]).await;
    assert!(waited.elapsed() < DEADLINE_WITH_SLACK, "{:?}: {read:?} {written:?}", waited.elapsed());
    read.and(written)
}

/// Requests until one is served.
pub async fn recovered(cache: &SharedCache) {
    let waited = Stopwatch::start();
    while let Err(error) = request(cache).await {
        assert!(waited.elapsed() < RECOVERY, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(cache.state(), State::Closed);
}

/// Requests until none waits any more.
async fn opened(cache: &SharedCache) {
    for _ in 0..10 {
        let _ = request(cache).await;
        if cache.state() == State::Open {
            return;
        }
    }
    panic!("ten requests failed and the breaker is closed");
}

#[actix_web::test]
async fn a_read_only_replica_answers_reads_and_refuses_writes() {
    let master = RedisServer::start();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    master.cli(&["set", "a", "1"]);
    replica.wait_for(&["get", "a"], "1");
    let cache = cache(&replica.url(), LONG);
    let mut session = cache.session();
    assert_eq!(session.get_many(&keys(&["a"])).await.unwrap(), [value("1")]);
    let puts = [put("a", "2", PutMode::IfAbsent), put("b", "2", PutMode::Overwrite)];
    let outcomes = session.put_many(&puts).await.unwrap();
    assert_eq!(outcomes, [PutOutcome::Refused, PutOutcome::Refused]);
    assert_eq!(session.get_many(&keys(&["a"])).await.unwrap(), [value("1")]);
    assert_eq!(cache.state(), State::Closed);
}

#[actix_web::test]
async fn without_memory_it_answers_reads_and_refuses_writes() {
    let redis = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]);
    redis.cli(&["set", "a", "1"]);
    redis.cli(&["config", "set", "maxmemory", "1"]);
    let cache = cache(&redis.url(), LONG);
    let mut session = cache.session();
    let refused = session.put_many(&[put("b", "2", PutMode::IfAbsent)]).await.unwrap();
    assert_eq!(refused, [PutOutcome::Refused]);
    assert_eq!(session.get_many(&keys(&["a", "b"])).await.unwrap(), [value("1"), None]);
    redis.cli(&["config", "set", "maxmemory", "0"]);
    let stored = session.put_many(&[put("b", "2", PutMode::IfAbsent)]).await.unwrap();
    assert_eq!(stored, [PutOutcome::Stored]);
}

#[actix_web::test]
async fn slow_by_200_ms_it_is_given_up_and_used_again_when_it_is_fast() {
    let redis = RedisServer::start();
    let proxy = FaultProxy::start(redis.port()).await;
    let metrics = Metrics::default();
    let cache = SharedCache::new(&settings(&proxy.url(), DEADLINE), metrics.clone()).unwrap();
    recovered(&cache).await;
    proxy.set(Fault::Delay(Duration::from_millis(200)));
    let failed = request(&cache).await;
    assert!(matches!(failed, Err(Unavailable::Failed { failure: Failure::TimedOut, .. })), "{failed:?}");
    opened(&cache).await;
    // probes find it as slow as requests did
    let probe = Call { operation: "probe", outcome: "timeout" };
    let waited = Stopwatch::start();
    while metrics.redis_calls.get_or_create(&probe).get() < 2 {
        let _ = request(&cache).await;
        assert_eq!(cache.state(), State::Open);
        assert!(waited.elapsed() < RECOVERY, "no two probes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(cache.state(), State::Open);
    proxy.set(Fault::None);
    recovered(&cache).await;
}

#[actix_web::test]
async fn stopped_and_continued() {
    let redis = RedisServer::start();
    let cache = cache(&redis.url(), DEADLINE);
    recovered(&cache).await;
    redis.pause();
    opened(&cache).await;
    let waited = Stopwatch::start();
    for _ in 0..1000 {
        let skipped = request(&cache).await;
        assert!(matches!(skipped, Err(Unavailable::Skipped)), "{skipped:?}");
    }
    assert!(waited.elapsed() < DEADLINE_WITH_SLACK, "an open breaker costs nothing: {:?}", waited.elapsed());
    redis.resume();
    recovered(&cache).await;
}

#[actix_web::test]
async fn metrics_tell_of_calls_puts_and_the_breaker() {
    let mut redis = RedisServer::start();
    let metrics = Metrics::default();
    let cache = SharedCache::new(&settings(&redis.url(), LONG), metrics.clone()).unwrap();
    request(&cache).await.unwrap();
    cache.session().put_many(&[put("b", "3", PutMode::IfAbsent)]).await.unwrap();
    redis.kill();
    opened(&cache).await;
    request(&cache).await.unwrap_err();
    let text = metrics.render().unwrap();
    for line in [
        "beetroot_redis_calls_total{operation=\"connect\",outcome=\"ok\"} 2",
        "beetroot_redis_calls_total{operation=\"connect\",outcome=\"unavailable\"} 3",
        "beetroot_redis_calls_total{operation=\"get\",outcome=\"ok\"} 1",
        "beetroot_redis_calls_total{operation=\"put\",outcome=\"ok\"} 2",
        "beetroot_redis_call_duration_seconds_count{operation=\"get\"} 1",
        "beetroot_redis_puts_total{outcome=\"stored\"} 1",
        "beetroot_redis_puts_total{outcome=\"found\"} 1",
        "beetroot_redis_breaker_open 1",
        "beetroot_redis_skipped_total 5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    redis.restart();
    recovered(&cache).await;
    assert!(metrics.render().unwrap().contains("beetroot_redis_breaker_open 0"));
}

#[actix_web::test]
async fn killed_and_restarted() {
    let mut redis = RedisServer::start();
    let cache = cache(&redis.url(), DEADLINE);
    recovered(&cache).await;
    redis.kill();
    opened(&cache).await;
    redis.restart();
    recovered(&cache).await;
}

#[actix_web::test]
async fn not_there_at_the_start() {
    let mut redis = RedisServer::start();
    redis.kill();
    let cache = cache(&redis.url(), DEADLINE);
    opened(&cache).await;
    let error = cache.check().await.unwrap_err().to_string();
    assert!(error.contains(&redis.url()), "{error}");
    redis.restart();
    recovered(&cache).await;
    cache.check().await.unwrap();
}

#[actix_web::test]
async fn reset_inside_an_answer() {
    let redis = RedisServer::start();
    redis.cli(&["set", "a", &"x".repeat(10_000)]);
    let proxy = FaultProxy::start(redis.port()).await;
    let cache = cache(&proxy.url(), DEADLINE);
    let mut session = connected_session(&cache).await;
    proxy.set(Fault::ResetInAnswer);
    let failed = session.get_many(&keys(&["a", "b"])).await;
    assert!(matches!(failed, Err(Unavailable::Failed { .. })), "{failed:?}");
    let skipped = session.get_many(&keys(&["a"])).await;
    assert!(matches!(skipped, Err(Unavailable::Skipped)), "{skipped:?}");
    opened(&cache).await;
    proxy.set(Fault::None);
    recovered(&cache).await;
}

#[actix_web::test]
async fn a_way_that_refuses_or_swallows() {
    let redis = RedisServer::start();
    let proxy = FaultProxy::start(redis.port()).await;
    let cache = cache(&proxy.url(), DEADLINE);
    recovered(&cache).await;
    for fault in [Fault::Refuse, Fault::BlackHole] {
        proxy.set(fault);
        opened(&cache).await;
        proxy.set(Fault::None);
        recovered(&cache).await;
    }
}

/// All that answers have cost together, one connection for all of them, is less than one deadline.
#[actix_web::test]
async fn the_waits_of_a_session_add_up_to_one_deadline() {
    let redis = RedisServer::start();
    let proxy = FaultProxy::start(redis.port()).await;
    let cache = cache(&proxy.url(), Duration::from_secs(1));
    let mut session = connected_session(&cache).await;
    proxy.set(Fault::Delay(Duration::from_millis(400)));
    let mut answers = 0;
    while session.get_many(&keys(&["a"])).await.is_ok() {
        answers += 1;
    }
    assert!(answers <= 2, "{answers} answers of 400 ms within a second");
}

#[actix_web::test]
async fn dropped_sessions_leave_every_later_answer_to_its_own_keys() {
    let redis = RedisServer::start();
    let own = |index: usize| (format!("key-{index}"), format!("value of {index}"));
    let proxy = FaultProxy::start(redis.port()).await;
    let cache = SharedCache::new(
        &beetroot_api::config::Redis { pool_size: 2, ..settings(&proxy.url(), LONG) },
        Metrics::default(),
    )
    .unwrap();
    let puts: Vec<_> = (0..50).map(own).map(|(key, value)| put(&key, &value, PutMode::Overwrite)).collect();
    cache.session().put_many(&puts).await.unwrap();

    proxy.set(Fault::Delay(Duration::from_millis(10)));
    let ask = async |index: usize| {
        let asked = [own(index % 50), own(index * 7 % 50)];
        let keys: Vec<String> = asked.iter().map(|(key, _)| key.clone()).collect();
        let mut session = cache.session();
        let found = session.get_many(&keys).await.unwrap();
        assert_eq!(found, asked.each_ref().map(|(_, value)| Some(value.clone().into_bytes())));
        let stored = session.put_many(&[put(&asked[0].0, "another", PutMode::IfAbsent)]).await.unwrap();
        assert_eq!(stored, [PutOutcome::Found(asked[0].1.clone().into_bytes())]);
    };
    let mut dropped = 0;
    for round in 0..40 {
        // 50 requests at once, whose clients go away after 0 to 40 ms
        let asked = (0..50).map(|index| {
            let patience = Duration::from_micros(fastrand::u64(0..40_000));
            tokio::time::timeout(patience, ask(round * 50 + index))
        });
        let outcomes = futures_util::future::join_all(asked).await;
        dropped += outcomes.iter().filter(|outcome| outcome.is_err()).count();
    }
    assert!(dropped > 500, "{dropped} of 2000 dropped");
    proxy.set(Fault::None);
    for index in 0..200 {
        ask(index).await;
    }
    assert_eq!(cache.state(), State::Closed);
}

/// A session that has its connection already, so that a fault meets the next call and not the checkout.
async fn connected_session(cache: &SharedCache) -> Session {
    let mut session = cache.session();
    let waited = Stopwatch::start();
    while session.get_many(&keys(&["b"])).await.is_err() {
        assert!(waited.elapsed() < RECOVERY);
        session = cache.session();
    }
    session
}
