//! Redis slow, full, read-only, gone or lying: no request fails, every URL works, and it heals without a restart.

use std::time::Duration;

use beetroot_api::config::RedisUrl;
use futures_util::future::join_all;
use reqwest::Method;

use super::fault_proxy::{Fault, FaultProxy};
use super::redis_server::{RedisCluster, RedisSentinel, RedisServer};
use super::rows::{located, person};
use super::signed_urls::{await_a_quiet_minute, end_of};
use super::test_app::{THUMBS_BUCKET, TestApp, Wishes};

/// The one picture that is really in S3, to be fetched.
const PERSON: &str = "anna";
/// How soon it must have healed once Redis is back: the issue asks for five seconds; more only on a machine that is busy.
const HEALED_WITHIN: Duration = Duration::from_secs(20);

/// Every answer is built anew, so that every request needs URLs.
async fn start_with(url: &str, change: impl FnOnce(&mut Wishes)) -> TestApp {
    let url = RedisUrl::parse(url).unwrap();
    let app = TestApp::start_with(|wishes| {
        wishes.settings.redis.url = Some(url);
        wishes.settings.lists.fresh = Duration::ZERO;
        wishes.settings.cache.confirm = Duration::ZERO;
        change(wishes);
    })
    .await;
    app.put_persons([person(PERSON, "2"), person("ben", "1")]).await;
    app.put_object(THUMBS_BUCKET, &format!("faces-thumbs/{PERSON}.jpg"), b"a face").await;
    app
}

async fn start(url: &str) -> TestApp {
    start_with(url, |_| {}).await
}

/// Another instance that holds nothing, with the same credentials, clock, buckets and Redis.
async fn newcomer(url: &str, like: &TestApp) -> TestApp {
    start_with(url, |wishes| {
        wishes.clock = like.clock.clone();
        wishes.settings.aws.s3_endpoint = Some(like.emulators().s3_endpoint());
    })
    .await
}

/// The URLs of one answer, after a look at each of them, and at the picture.
async fn good_urls(app: &TestApp, s3: &TestApp) -> Vec<String> {
    let answer = app.get("/persons").await.ok();
    let persons = answer["persons"].as_array().unwrap();
    let urls: Vec<_> =
        persons.iter().map(|person| person["repThumbURL"].as_str().unwrap().to_owned()).collect();
    assert_eq!(urls.len(), 2);
    for url in &urls {
        let left = end_of(url).as_second() - app.clock.now().as_second();
        assert!(left >= 300, "{left} s left");
    }
    assert_eq!(s3.fetch(Method::GET, &urls[0], &[]).await.assert_status(200).body, b"a face");
    urls
}

/// What must hold during every fault: all answers are good, the same at each reload, and none hangs.
async fn assert_nobody_notices(app: &TestApp) -> Vec<String> {
    let first = good_urls(app, app).await;
    for _ in 0..10 {
        let answered = tokio::time::timeout(Duration::from_secs(3), good_urls(app, app)).await;
        assert_eq!(answered.expect("an answer soon"), first);
    }
    first
}

/// Instances that start during an outage, one after the other, sign alike without talking.
async fn assert_newcomers_agree(app: &TestApp, url: &str) {
    await_a_quiet_minute(&app.clock, &[PERSON, "ben"]);
    let one = newcomer(url, app).await;
    let urls = good_urls(&one, app).await;
    app.clock.advance(Duration::from_secs(50));
    let two = newcomer(url, app).await;
    assert_eq!(good_urls(&two, app).await, urls);
}

/// Waits until instances share URLs through Redis again.
async fn assert_heals(app: &TestApp, url: &str) {
    let healed = tokio::time::timeout(HEALED_WITHIN, async {
        loop {
            let urls = good_urls(app, app).await;
            let other = newcomer(url, app).await;
            let theirs = good_urls(&other, app).await;
            if theirs == urls
                && other.metric(r#"beetroot_url_lookups_total{tier="redis",outcome="hit"}"#) == 2
            {
                return;
            }
        }
    });
    healed.await.expect("healed without a restart");
}

#[actix_web::test]
async fn killed() {
    let mut redis = RedisServer::start();
    let app = start(&redis.url()).await;
    let before = good_urls(&app, &app).await;

    redis.kill();

    assert_eq!(assert_nobody_notices(&app).await, before, "what is in process goes on");
    assert_newcomers_agree(&app, &redis.url()).await;
    assert!(app.metric("beetroot_redis_skipped_total") > 0, "the breaker saves waits");
    // it comes back empty, and gets what this process holds
    redis.restart();
    let put_back = tokio::time::timeout(HEALED_WITHIN, async {
        while redis.cli(&["DBSIZE"]) != "2" {
            assert_eq!(good_urls(&app, &app).await, before);
        }
    });
    put_back.await.expect("put back without a restart");
    assert_heals(&app, &redis.url()).await;
    assert_eq!(good_urls(&app, &app).await, before, "and no URL has changed");
}

#[actix_web::test]
async fn stopped_and_continued() {
    let redis = RedisServer::start();
    let app = start(&redis.url()).await;
    let before = good_urls(&app, &app).await;

    redis.pause();

    assert_eq!(assert_nobody_notices(&app).await, before);
    assert_newcomers_agree(&app, &redis.url()).await;
    redis.resume();
    assert_heals(&app, &redis.url()).await;
}

/// While this happens on the way to Redis nobody notices, neither who holds URLs nor who begins with none.
async fn assert_survives(fault: Fault) {
    let redis = RedisServer::start();
    let proxy = FaultProxy::start(redis.port()).await;
    let app = start(&proxy.url()).await;
    let before = good_urls(&app, &app).await;

    proxy.set(fault);

    assert_eq!(assert_nobody_notices(&app).await, before);
    let other = newcomer(&proxy.url(), &app).await;
    assert_nobody_notices(&other).await;
    proxy.set(Fault::None);
    assert_heals(&app, &proxy.url()).await;
}

#[actix_web::test]
async fn slow_by_200_milliseconds() {
    assert_survives(Fault::Delay(Duration::from_millis(200))).await;
}

#[actix_web::test]
async fn reset_inside_an_answer() {
    assert_survives(Fault::ResetInAnswer).await;
}

#[actix_web::test]
async fn refused() {
    assert_survives(Fault::Refuse).await;
}

#[actix_web::test]
async fn no_answer_ever() {
    assert_survives(Fault::BlackHole).await;
}

#[actix_web::test]
async fn a_read_only_replica() {
    let redis = RedisServer::start();
    // of a master that nobody runs
    redis.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let app = start(&redis.url()).await;

    assert_nobody_notices(&app).await;

    assert_newcomers_agree(&app, &redis.url()).await;
    assert!(app.metric(r#"beetroot_redis_puts_total{outcome="refused"}"#) > 0);
    redis.cli(&["REPLICAOF", "NO", "ONE"]);
    assert_heals(&app, &redis.url()).await;
}

#[actix_web::test]
async fn out_of_memory() {
    let redis = RedisServer::start();
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let app = start(&redis.url()).await;

    assert_nobody_notices(&app).await;

    assert_newcomers_agree(&app, &redis.url()).await;
    assert!(app.metric(r#"beetroot_redis_puts_total{outcome="refused"}"#) > 0);
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_heals(&app, &redis.url()).await;
}

#[actix_web::test]
async fn reads_go_well_and_writes_hang() {
    let redis = RedisServer::start();
    redis.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let app = start(&redis.url()).await;

    assert_nobody_notices(&app).await;

    assert_eq!(app.metric("beetroot_redis_breaker_open"), 1, "{}", app.metrics.render().unwrap());
    redis.cli(&["CLIENT", "UNPAUSE"]);
    assert_heals(&app, &redis.url()).await;
}

#[actix_web::test]
async fn everything_deleted() {
    let redis = RedisServer::start();
    let app = start(&redis.url()).await;
    let before = good_urls(&app, &app).await;
    redis.cli(&["FLUSHALL"]);
    assert_eq!(assert_nobody_notices(&app).await, before);
    assert_heals(&app, &redis.url()).await;
    assert_eq!(good_urls(&app, &app).await, before);
}

#[actix_web::test]
async fn a_sentinel_fails_over() {
    let mut sentinel = RedisSentinel::start();
    let app = start(&sentinel.url()).await;
    let before = good_urls(&app, &app).await;

    sentinel.master.kill();

    assert_eq!(assert_nobody_notices(&app).await, before);
    assert_heals(&app, &sentinel.url()).await;
    assert_eq!(good_urls(&app, &app).await, before);
}

#[actix_web::test]
async fn a_cluster_loses_a_node() {
    let mut cluster = RedisCluster::start(3);
    let app = start(&cluster.url()).await;
    app.put_persons((0..50).map(|number| person(&format!("p{number}"), "0"))).await;
    let urls = async |app: &TestApp| {
        let answer = app.get("/persons").await.ok();
        let persons = answer["persons"].as_array().unwrap().clone();
        persons.iter().map(|person| person["repThumbURL"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = urls(&app).await;
    let url = cluster.url();
    // a machine that does something else as well may let a deadline pass: what was not written then is put at the next request
    let shared = async || {
        loop {
            assert_eq!(urls(&app).await, before);
            let other = newcomer(&url, &app).await;
            other.put_persons((0..50).map(|number| person(&format!("p{number}"), "0"))).await;
            if urls(&other).await == before {
                return;
            }
        }
    };
    tokio::time::timeout(HEALED_WITHIN, shared()).await.expect("shared over all slots");

    cluster.nodes[0].kill();

    for _ in 0..10 {
        let answered = tokio::time::timeout(Duration::from_secs(3), urls(&app)).await;
        assert_eq!(answered.expect("an answer soon"), before);
    }

    cluster.nodes[0].restart();
    cluster.nodes[1].wait_for(&["cluster", "info"], "cluster_slots_ok:16384");
    tokio::time::timeout(HEALED_WITHIN, shared()).await.expect("shared over all slots again");
}

#[actix_web::test]
async fn ten_thousand_clients_that_go_away_mix_nothing_up() {
    let redis = RedisServer::start();
    let proxy = FaultProxy::start(redis.port()).await;
    let app = start_with(&proxy.url(), |wishes| {
        wishes.settings.redis.deadline = Duration::from_secs(2);
        // with refills that many clients share, and that go on when a client has gone
        wishes.settings.lists.fresh = Duration::from_secs(5);
    })
    .await;
    let persons = 20;
    for number in 0..persons {
        let name = format!("person-{number}");
        app.put_occurrences(
            (0..3).map(|photo| located(&name, &photo.to_string(), &format!("of-{name}-{photo}"))),
        )
        .await;
    }
    proxy.set(Fault::Delay(Duration::from_millis(5)));
    let look = async |number: usize| {
        let name = format!("person-{}", number % persons);
        let answer = app.get(&format!("/persons/{name}/photos")).await;
        if answer.status == 503 {
            return; // more at once than it takes
        }
        let answer = answer.ok();
        let photos = answer["photos"].as_array().unwrap();
        assert_eq!(photos.len(), 3);
        for (place, photo) in photos.iter().enumerate() {
            let (key, thumb) = (
                format!("photos-raw/of-{name}-{place}.jpg"),
                format!("faces-thumbs/{name}/of-{name}-{place}.jpg"),
            );
            assert_eq!(photo["photoKey"], key);
            assert!(photo["photoURL"].as_str().unwrap().contains(&format!("/raw/{key}?")));
            assert!(photo["thumbURL"].as_str().unwrap().contains(&format!("/thumbs/{thumb}?")));
        }
    };
    let mut answered = 0;
    for round in 0..200 {
        let patience = Duration::from_millis(round % 50 * 6);
        let requests = (0..50).map(|number| tokio::time::timeout(patience, look(number)));
        answered += join_all(requests).await.iter().filter(|outcome| outcome.is_ok()).count();
        // the URLs' time passes, so that they are asked of Redis and signed again and again
        app.clock.advance(Duration::from_secs(600));
    }
    println!("10000 requests, {answered} of them waited for their answer");
    assert!((1..10_000).contains(&answered));
    proxy.set(Fault::None);
    for number in 0..persons {
        look(number).await;
    }
}
