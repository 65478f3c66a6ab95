//! What the doctor says about Redis, with real servers.

use std::time::Duration;

use super::Examined;
use crate::fault_proxy::{Fault, FaultProxy};
use crate::redis_server::{RedisCluster, RedisSentinel, RedisServer};
use crate::test_app::TestApp;

const ALL: [&str; 5] = ["redis", "redis.version", "redis.write", "redis.memory", "redis.acl"];

async fn examine(app: &TestApp, url: &str) -> Examined {
    Examined::of(app, &[("REDIS_URL", Some(url))]).await
}

#[actix_web::test]
async fn the_one_key_that_is_written_is_the_doctors_own_and_ends_soon() {
    let app = TestApp::start().await;
    let redis = RedisServer::start();
    examine(&app, &redis.url()).await.assert("redis.write", "ok", &["beetroot:doctor:"]);
    let stats = redis.cli(&["info", "commandstats"]);
    let keys = redis.cli(&["keys", "*"]);
    for key in keys.lines().filter(|key| !key.is_empty()) {
        assert!(key.starts_with("beetroot:doctor:"), "{keys}");
        // -2 is a key that has ended since
        let ttl: i64 = redis.cli(&["pttl", key]).parse().unwrap();
        assert!(ttl == -2 || (1..=5000).contains(&ttl), "{ttl}");
    }
    for writes in ["cmdstat_del", "cmdstat_flushall", "cmdstat_expire", "cmdstat_config|set", "cmdstat_eval"]
    {
        assert!(!stats.contains(writes), "{writes}: {stats}");
    }
}

#[actix_web::test]
async fn a_connection_that_does_not_come_about_is_explained() {
    let app = TestApp::start().await;
    let redis = RedisServer::start_with(&["--requirepass", "hunter2hunter2"]);
    let plain = redis.url();
    let with = |login: &str| plain.replace("://", &format!("://{login}@"));
    let tls = RedisServer::tls();
    let open = RedisServer::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, parts) in [
        (plain.clone(), ["wants a password", "redis://:PASSWORD@host"]),
        (with(":hunter2"), ["is wrong", "percent-encoded"]),
        (with("app:hunter2"), ["is wrong", "percent-encoded"]),
        (plain.replace("redis://", "rediss://"), ["without TLS", "redis://"]),
        (tls.url().replace("rediss://", "redis://"), ["wants TLS", "rediss://"]),
        (tls.url(), ["not trusted", "redis.ca_file"]),
        (format!("redis://{closed}"), ["refused", "nothing listens"]),
        ("redis://nowhere.invalid".to_owned(), ["nowhere.invalid", "REDIS_URL"]),
        (with(":hunter2hunter2") + "/99", ["database", "the number at the end"]),
        (with(":hunter2hunter2").replace("redis://", "redis+cluster://"), ["not a Cluster", "redis://"]),
        (
            plain.replace("redis://", "redis+sentinel://") + "/main",
            ["wants a password", "redis.sentinel_password"],
        ),
        (open.url().replace("redis://", "redis+sentinel://") + "/main", ["Sentinel", "26379"]),
    ] {
        let examined = examine(&app, &url).await;
        examined.assert("redis", "fail", &parts);
        for id in &ALL[1..] {
            examined.assert(id, "skip", &["no connection"]);
        }
    }
}

#[actix_web::test]
async fn tls_with_the_right_authority_is_told() {
    let app = TestApp::start().await;
    let redis = RedisServer::tls();
    let ca_file = redis.ca_file().display().to_string();
    Examined::of(&app, &[("REDIS_URL", Some(&redis.url())), ("BEETROOT__REDIS__CA_FILE", Some(&ca_file))])
        .await
        .assert("redis", "ok", &["with TLS"])
        .assert("redis.write", "ok", &[]);
    Examined::of(
        &app,
        &[("REDIS_URL", Some(&redis.url())), ("BEETROOT__REDIS__CA_FILE", Some("/nonexistent"))],
    )
    .await
    .assert("redis", "fail", &["/nonexistent", "redis.ca_file"]);
}

#[actix_web::test]
async fn a_server_that_takes_no_writes_is_explained() {
    let app = TestApp::start().await;
    let redis = RedisServer::start();
    redis.cli(&["config", "set", "maxmemory", "1", "maxmemory-policy", "noeviction"]);
    examine(&app, &redis.url())
        .await
        .assert("redis.write", "fail", &["OOM", "volatile-ttl"])
        .assert("redis.memory", "warn", &["noeviction", "volatile-ttl"])
        .assert("redis.acl", "warn", &["default"]);

    let sentinel = RedisSentinel::start();
    examine(&app, &sentinel.replica.url()).await.assert(
        "redis.write",
        "fail",
        &["read-only replica", "primary endpoint"],
    );
    let url = sentinel.url();
    examine(&app, &url).await.assert("redis.write", "ok", &[]).assert("redis.acl", "warn", &[]);
    let as_server = url.replace("redis+sentinel://", "redis://").replace("/main", "");
    examine(&app, &as_server).await.assert("redis.write", "fail", &["Sentinel's port", "redis+sentinel://"]);
}

#[actix_web::test]
async fn a_cluster_is_a_cluster_and_no_server() {
    let app = TestApp::start().await;
    let cluster = RedisCluster::start(3);
    examine(&app, &cluster.url())
        .await
        .assert("redis", "ok", &["redis+cluster://"])
        .assert("redis.version", "ok", &["Redis"])
        .assert("redis.write", "ok", &[])
        .assert("redis.memory", "ok", &["no maxmemory"])
        .assert("redis.acl", "warn", &["default"]);
    examine(&app, &cluster.nodes[0].url()).await.assert(
        "redis.write",
        "fail",
        &["it is a Cluster", "redis+cluster://"],
    );
}

#[actix_web::test]
async fn a_users_rights_are_enough_and_no_more() {
    let app = TestApp::start().await;
    let redis = RedisServer::start();
    let enough = ["~beetroot:*", "+get", "+mget", "+set", "+ping", "+unwatch"];
    let url = redis.url().replace("://", "://app:hunter2@");
    let allow = |rights: &[&str]| {
        redis.cli(&[["acl", "setuser", "app", "reset", "on", ">hunter2"].as_slice(), rights].concat());
    };
    allow(&enough);
    examine(&app, &url)
        .await
        .assert("redis.acl", "ok", &["the user", "what is needed"])
        .assert("redis.version", "skip", &["INFO"])
        .assert("redis.memory", "skip", &["INFO"]);
    for missing in ["+get", "+mget", "+set", "+ping", "+unwatch"] {
        let rights: Vec<&str> = enough.into_iter().filter(|right| *right != missing).collect();
        allow(&rights);
        examine(&app, &url).await.assert("redis.acl", "fail", &[&missing[1..], "redis-acl"]);
    }
    allow(&["~other:*", "+get", "+mget", "+set", "+ping", "+unwatch"]);
    examine(&app, &url).await.assert("redis.write", "fail", &["~beetroot:*"]).assert(
        "redis.acl",
        "fail",
        &["get, mget, set"],
    );
    for (right, means) in
        [("~*", "outside of its namespace"), ("+dbsize", "count all keys"), ("+config|get", "configuration")]
    {
        allow(&[enough.as_slice(), &[right]].concat());
        examine(&app, &url).await.assert("redis.acl", "warn", &[means, "redis-acl"]);
    }
}

#[actix_web::test]
async fn a_redis_that_answers_beyond_its_deadline_is_told_and_examined_on() {
    let app = TestApp::start().await;
    let redis = RedisServer::start();
    let proxy = FaultProxy::start(redis.port()).await;
    proxy.set(Fault::Delay(Duration::from_millis(30)));
    let url = proxy.url();
    let variables = [("REDIS_URL", Some(url.as_str())), ("BEETROOT__REDIS__DEADLINE", Some("20ms"))];
    let examined = Examined::of(&app, &variables).await;
    examined.assert("redis", "warn", &["beyond redis.deadline, 20 ms"]).assert("redis.write", "ok", &[]);
}
