//! The kinds of Redis: logins, TLS, Sentinels, a Cluster.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beetroot_api::clock::Stopwatch;
use beetroot_api::config::{Redis, RedisKind};
use beetroot_api::shared_cache::{Put, PutMode, PutOutcome, SharedCache, SharedCacheError, commands_needed};
use beetroot_api::telemetry::metrics::Metrics;

use super::redis_server::{RedisCluster, RedisSentinel, RedisServer};
use super::shared_cache::{LONG, cache, keys, put, settings, value};
use super::shared_cache_faults::{recovered, request};

/// What is logged on this thread while it lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn works(cache: &SharedCache) {
    let mut session = cache.session();
    let stored = session.put_many(&[put("beetroot:a", "1", PutMode::Overwrite)]).await.unwrap();
    assert_eq!(stored, [PutOutcome::Stored]);
    assert_eq!(session.get_many(&keys(&["beetroot:a"])).await.unwrap(), [value("1")]);
    cache.check().await.unwrap();
}

#[actix_web::test]
async fn a_password_opens_and_a_wrong_one_is_told_with_the_node_and_not_shown() {
    let redis = RedisServer::start_with(&["--requirepass", "right@/:"]);
    let url = |password: &str| redis.url().replace("://", &format!("://:{password}@"));
    works(&cache(&url("right%40%2F%3A"), LONG)).await;

    let log = Log::default();
    let listening = log.listen();
    let settings = settings(&url("hunter2"), LONG);
    let wrong = SharedCache::new(&settings, Metrics::default()).unwrap();
    let error = wrong.check().await.unwrap_err();
    for _ in 0..4 {
        request(&wrong).await.unwrap_err();
    }
    drop(listening);
    assert!(error.to_string().contains(&redis.url()), "{error}");
    assert!(
        error.to_string().contains("WRONGPASS") || error.to_string().contains("Authentication"),
        "{error}"
    );
    let log = log.text();
    assert!(log.contains("Redis fails") && log.contains(&redis.url()), "{log}");
    let shown = format!("{error} {error:?} {wrong:?} {settings:?} {log}");
    assert!(!shown.contains("hunter2"), "{shown}");

    let none = cache(&redis.url(), LONG);
    let error = none.check().await.unwrap_err().to_string();
    assert!(error.contains("NOAUTH") || error.contains("Authentication"), "{error}");
}

#[actix_web::test]
async fn a_user_needs_no_more_rights_than_the_commands_that_are_listed() {
    let redis = RedisServer::start();
    let listed = commands_needed(&RedisKind::Standalone, 0);
    let rights: Vec<_> = listed.iter().map(|command| format!("+{command}")).collect();
    let rights = rights.iter().map(String::as_str).collect::<Vec<_>>();
    redis.cli(&[["acl", "setuser", "app", "on", ">secret", "~beetroot:*"].as_slice(), &rights].concat());
    let cache = cache(&redis.url().replace("://", "://app:secret@"), LONG);
    for _ in 0..3 {
        works(&cache).await;
    }
    let received = redis.cli(&["info", "stats"]);
    assert!(received.contains("total_connections_received:"), "{received}");
    let foreign = cache.session().put_many(&[put("foreign", "1", PutMode::IfAbsent)]).await.unwrap();
    assert_eq!(foreign, [PutOutcome::Refused]);
    // one connection for all of it
    let clients = redis.cli(&["client", "list"]);
    assert_eq!(clients.matches("user=app").count(), 1, "{clients}");
}

#[actix_web::test]
async fn tls_with_a_private_authority_works_with_its_certificate_and_not_without() {
    let redis = RedisServer::tls();
    let with_ca = |ca_file| {
        let settings = Redis { ca_file, ..settings(&redis.url(), LONG) };
        SharedCache::new(&settings, Metrics::default())
    };
    works(&with_ca(Some(redis.ca_file())).unwrap()).await;
    let error = with_ca(None).unwrap().check().await.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer") || error.to_lowercase().contains("certificate"), "{error}");
    let another = RedisServer::tls();
    with_ca(Some(another.ca_file())).unwrap().check().await.unwrap_err();

    let missing = with_ca(Some("/nonexistent/ca.pem".into())).unwrap_err();
    assert!(matches!(missing, SharedCacheError::CaFile { .. }), "{missing}");
    let empty = tempfile::NamedTempFile::new().unwrap();
    let none = with_ca(Some(empty.path().to_owned())).unwrap_err();
    assert!(matches!(none, SharedCacheError::NoCertificate { .. }), "{none}");
}

#[actix_web::test]
async fn after_a_sentinels_failover_the_new_master_is_used() {
    let mut sentinel = RedisSentinel::start();
    let cache = cache(&sentinel.url(), Duration::from_millis(500));
    recovered(&cache).await;
    assert_eq!(sentinel.master.cli(&["get", "b"]), "2");
    sentinel.master.kill();
    let waited = Stopwatch::start();
    while sentinel.replica.cli(&["role"]).starts_with("slave") {
        let _ = request(&cache).await;
        assert!(waited.elapsed() < Duration::from_secs(60), "no failover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sentinel.replica.cli(&["del", "b"]);
    recovered(&cache).await;
    assert_eq!(sentinel.replica.cli(&["get", "b"]), "2");
}

#[actix_web::test]
async fn a_master_that_became_a_replica_is_left_although_it_answers() {
    let sentinel = RedisSentinel::start();
    let cache = cache(&sentinel.url(), LONG);
    works(&cache).await;
    let new_master = sentinel.replica.port().to_string();
    sentinel.replica.cli(&["replicaof", "no", "one"]);
    sentinel.master.cli(&["replicaof", "127.0.0.1", &new_master]);
    // its Sentinel still names the old one, which is refused for its role: no write is lost in silence
    cache.check().await.unwrap_err();
}

#[actix_web::test]
async fn a_cluster_reads_and_writes_keys_of_all_its_nodes() {
    let cluster = RedisCluster::start(3);
    let cache = cache(&cluster.url(), LONG);
    let names: Vec<String> = (0..400).map(|index| format!("key-{index}")).collect();
    let puts: Vec<Put> = names.iter().map(|name| put(name, name, PutMode::IfAbsent)).collect();
    let mut session = cache.session();
    let outcomes = session.put_many(&puts).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == PutOutcome::Stored), "{outcomes:?}");
    let outcomes = session.put_many(&puts[..2]).await.unwrap();
    assert_eq!(outcomes, ["key-0", "key-1"].map(|value| PutOutcome::Found(value.into())));
    let found = session.get_many(&names).await.unwrap();
    assert!(found.iter().zip(&names).all(|(found, name)| *found == value(name)));
    let none = session.get_many(&keys(&["none", "key-7"])).await.unwrap();
    assert_eq!(none, [None, value("key-7")]);
    for node in &cluster.nodes {
        assert_ne!(node.cli(&["dbsize"]), "0");
    }
    cache.check().await.unwrap();
}

#[actix_web::test]
async fn a_slot_on_its_way_to_another_node_takes_and_gives_its_keys() {
    let cluster = RedisCluster::start(3);
    let cache = cache(&cluster.url(), LONG);
    let mut session = cache.session();
    let stays = put("{slot}:stays", "1", PutMode::IfAbsent);
    assert_eq!(session.put_many(std::slice::from_ref(&stays)).await.unwrap(), [PutOutcome::Stored]);
    let slot = cluster.nodes[0].cli(&["cluster", "keyslot", "{slot}"]);
    let (from, to) = {
        let (owner, others): (Vec<_>, Vec<_>) =
            cluster.nodes.iter().partition(|node| node.cli(&["get", "{slot}:stays"]) == "1");
        (owner[0], others[0])
    };
    let (from_id, to_id) = (from.cli(&["cluster", "myid"]), to.cli(&["cluster", "myid"]));
    to.cli(&["cluster", "setslot", &slot, "importing", &from_id]);
    from.cli(&["cluster", "setslot", &slot, "migrating", &to_id]);

    // what is not at the old node any more, or not yet, is asked for at the new one
    let moving = |value| [stays.clone(), put("{slot}:comes", value, PutMode::IfAbsent)];
    let outcomes = session.put_many(&moving("1")).await.unwrap();
    assert!(!outcomes.contains(&PutOutcome::Refused), "{outcomes:?}");
    assert_eq!(from.cli(&["exists", "{slot}:stays"]), "1");
    let outcomes = session.put_many(&moving("another")).await.unwrap();
    assert_eq!(outcomes, [PutOutcome::Found("1".into()), PutOutcome::Found("1".into())]);
    let overwritten = put("{slot}:comes", "2", PutMode::Overwrite);
    assert_eq!(session.put_many(&[overwritten]).await.unwrap(), [PutOutcome::Stored]);
    let found = session.get_many(&keys(&["{slot}:stays", "{slot}:comes"])).await.unwrap();
    assert_eq!(found, [value("1"), value("2")]);

    // and when it has arrived, although nobody has told us
    from.cli(&["migrate", "127.0.0.1", &to.port().to_string(), "{slot}:stays", "0", "5000"]);
    for node in [to, from] {
        assert_eq!(node.cli(&["cluster", "setslot", &slot, "node", &to_id]), "OK");
    }
    let outcomes = session.put_many(&moving("another")).await.unwrap();
    assert_eq!(outcomes, [PutOutcome::Found("1".into()), PutOutcome::Found("2".into())]);
}

#[actix_web::test]
async fn a_cluster_without_one_of_its_nodes_holds_nobody_up_and_is_whole_again_with_it() {
    let mut cluster = RedisCluster::start(3);
    let cache = cache(&cluster.url(), Duration::from_millis(200));
    recovered(&cache).await;
    let names: Vec<String> = (0..100).map(|index| format!("key-{index}")).collect();
    let puts: Vec<Put> = names.iter().map(|name| put(name, name, PutMode::IfAbsent)).collect();
    all_stored(&cache, &puts).await;

    cluster.nodes[1].kill();
    let (mut served, mut slow) = (0, 0);
    let waited = Stopwatch::start();
    while waited.elapsed() < Duration::from_secs(3) {
        let asked = Stopwatch::start();
        let _ = request(&cache).await;
        let found = cache.session().get_many(&names).await.unwrap_or_default();
        for (found, name) in found.iter().zip(&names) {
            assert!(found.is_none() || *found == value(name));
        }
        served += usize::from(found.iter().any(Option::is_some));
        slow += usize::from(asked.elapsed() > Duration::from_millis(200));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!(
        "while a node was lost: {served} requests had values of the other nodes, {slow} waited longer than 200 ms"
    );
    // without the breaker all of them would
    assert!(slow < 50, "{slow} requests waited for the lost node");

    cluster.nodes[1].restart();
    cluster.nodes[0].wait_for(&["cluster", "info"], "cluster_slots_ok:16384");
    all_stored(&cache, &puts).await;
}

/// Writes until a request finds or stores each of them.
async fn all_stored(cache: &SharedCache, puts: &[Put]) {
    let waited = Stopwatch::start();
    loop {
        let outcomes = cache.session().put_many(puts).await;
        if matches!(&outcomes, Ok(outcomes) if !outcomes.contains(&PutOutcome::Refused)) {
            return;
        }
        assert!(waited.elapsed() < Duration::from_secs(10), "{outcomes:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
