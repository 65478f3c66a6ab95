//! The user that `beetroot-api policy redis-acl` prints, on real servers: it can do all that the service needs, and nothing
//! that it does not.

use std::collections::BTreeSet;
use std::process::Command;

use beetroot_api::config::RedisUrl;
use beetroot_api::shared_cache::{PutMode, PutOutcome, SharedCache, commands_needed};
use sha2::{Digest, Sha256};

use super::redis_server::{RedisCluster, RedisSentinel, RedisServer};
use super::served::program;
use super::shared_cache::{LONG, cache, keys, put, value};
use super::test_app::Wishes;
use super::url_sharing::{PERSONS, second_instance, start_with, thumb_urls};

const PASSWORD: &str = "hunter2hunter2";

/// With the login of the service's user.
fn with_login(url: &str) -> String {
    url.replace("://", &format!("://beetroot:{PASSWORD}@"))
}

/// What the program prints, with the password's hash filled in as `policies/README.md` says.
fn acl_line(url: &str) -> String {
    let output = program()
        .args(["policy", "redis-acl"])
        .envs([("THUMBS_BUCKET", "thumbs"), ("REDIS_URL", url)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(!line.contains(PASSWORD), "{line}");
    line.replace("SHA256_OF_THE_PASSWORD", &hex::encode(Sha256::digest(PASSWORD)))
}

/// Gives the server that user, and no memory of what it refused before.
fn set_user(server: &RedisServer, line: &str) {
    let user = line.trim_end().strip_prefix("user ").unwrap_or_else(|| panic!("{line}"));
    let (name, rules) = user.split_once(' ').unwrap();
    let set: Vec<&str> = ["acl", "setuser", name, "reset"].into_iter().chain(rules.split(' ')).collect();
    assert_eq!(server.cli(&set), "OK", "{line}");
    server.cli(&["acl", "log", "reset"]);
}

/// Commands, and keys, that the server refused. Since Redis 7.2 the client library tells its name on each new connection, which
/// no older server knows and which changes nothing: it ignores the answer.
fn refused(server: &RedisServer) -> BTreeSet<String> {
    let log = server.cli(&["acl", "log"]);
    let lines: Vec<&str> = log.lines().collect();
    let objects = lines.windows(2).filter(|pair| pair[0] == "object").map(|pair| pair[1].to_owned());
    objects.filter(|object| object != "client|setinfo").collect()
}

/// All that the service does with Redis, several times over one pool of connections.
async fn all_works(cache: &SharedCache) -> bool {
    let mut works = true;
    for _ in 0..3 {
        let mut session = cache.session();
        let puts = [put("beetroot:a", "1", PutMode::Overwrite), put("beetroot:a", "2", PutMode::IfAbsent)];
        let put = session.put_many(&puts).await.unwrap_or_default();
        let read = session.get_many(&keys(&["beetroot:a", "beetroot:none"])).await.unwrap_or_default();
        works &= put == [PutOutcome::Stored, PutOutcome::Found("1".into())];
        works &= read == [value("1"), None];
        works &= cache.check().await.is_ok();
    }
    works
}

/// What came of [`all_works`] with certain rights.
#[derive(Debug)]
struct Seen {
    works: bool,
    refused: BTreeSet<String>,
    /// How many the servers got.
    connections: u64,
}

/// As the service's user, less one command perhaps.
async fn seen(servers: &[&RedisServer], url: &str, without: Option<&str>) -> Seen {
    let mut line = acl_line(url);
    if let Some(command) = without {
        let allowed = format!(" +{command}");
        assert!(line.contains(&allowed), "{line}");
        line = line.replace(&allowed, "");
    }
    for server in servers {
        set_user(server, &line);
    }
    let before: u64 = servers.iter().map(|server| connections(server)).sum();
    let works = all_works(&cache(url, LONG)).await;
    let after: u64 = servers.iter().map(|server| connections(server)).sum();
    let refused = servers.iter().flat_map(|server| refused(server)).collect();
    Seen { works, refused, connections: after - before }
}

fn connections(server: &RedisServer) -> u64 {
    let stats = server.cli(&["info", "stats"]);
    let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap_or_else(|| panic!("{stats}")).trim().parse().unwrap()
}

/// All is allowed that the service does; and without any one command of the list that one is refused, and something does not
/// work. Except for those that `help`: without them it works still, in the way that their test describes.
async fn each_command_is_needed(servers: &[&RedisServer], url: &str, help: &[&str]) {
    let all = seen(servers, url, None).await;
    assert!(all.works && all.refused.is_empty(), "{all:?}");
    let parsed = RedisUrl::parse(url).unwrap();
    // `ASKING` is for slots on their way, which have a test of their own
    let steady = commands_needed(&parsed.kind, parsed.database).into_iter().filter(|name| *name != "asking");
    for command in steady {
        let without = seen(servers, url, Some(command)).await;
        assert!(without.refused.contains(command), "without {command}: {without:?}");
        assert_eq!(without.works, help.contains(&command), "without {command}: {without:?}");
    }
}

#[actix_web::test]
async fn on_one_server_nothing_is_missing_and_nothing_is_too_much() {
    let redis = RedisServer::start();
    let url = format!("{}/2", with_login(&redis.url()));
    each_command_is_needed(&[&redis], &url, &["ping", "unwatch"]).await;
    // without these two no connection passes for alive, and each request opens its own
    let normal = seen(&[&redis], &url, None).await.connections;
    for command in ["ping", "unwatch"] {
        let without = seen(&[&redis], &url, Some(command)).await.connections;
        assert!(without > normal, "{normal} connections, without {command} {without}");
    }
}

#[actix_web::test]
async fn behind_sentinels_nothing_is_missing_and_nothing_is_too_much() {
    let sentinel = RedisSentinel::start();
    let url = format!("{}/2", with_login(&sentinel.url()));
    each_command_is_needed(&[&sentinel.master], &url, &[]).await;
}

#[actix_web::test]
async fn in_a_cluster_nothing_is_missing_and_nothing_is_too_much() {
    let cluster = RedisCluster::start(3);
    let nodes: Vec<_> = cluster.nodes.iter().collect();
    let url = with_login(&cluster.url());
    // the client library says hello with a PING, and does not mind that it is refused
    each_command_is_needed(&nodes, &url, &["ping"]).await;
}

#[actix_web::test]
async fn in_a_cluster_a_key_whose_slot_is_on_its_way_is_read_by_asking() {
    let cluster = RedisCluster::start(3);
    let nodes: Vec<_> = cluster.nodes.iter().collect();
    let url = with_login(&cluster.url());
    assert!(all_works(&cache(&cluster.url(), LONG)).await);
    let slot = nodes[0].cli(&["cluster", "keyslot", "beetroot:a"]);
    let has_it = |node: &RedisServer| node.cli(&["cluster", "countkeysinslot", &slot]) == "1";
    let (from, to): (Vec<&RedisServer>, Vec<_>) = nodes.iter().partition(|node| has_it(node));
    to[0].cli(&["cluster", "setslot", &slot, "importing", &from[0].cli(&["cluster", "myid"])]);
    from[0].cli(&["cluster", "setslot", &slot, "migrating", &to[0].cli(&["cluster", "myid"])]);
    let port = to[0].port().to_string();
    assert_eq!(from[0].cli(&["migrate", "127.0.0.1", &port, "beetroot:a", "0", "5000"]), "OK");

    for (line, found) in [(acl_line(&url), value("1")), (acl_line(&url).replace(" +asking", ""), None)] {
        for node in &nodes {
            set_user(node, &line);
        }
        let read = cache(&url, LONG).session().get_many(&keys(&["beetroot:a"])).await;
        assert_eq!(read.unwrap_or(vec![None]), [found], "{line}");
    }
    assert!(refused(to[0]).contains("asking"));
}

#[actix_web::test]
async fn the_service_shares_urls_as_the_user_of_the_acl_file_and_that_user_can_do_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("redis.acl");
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/redis.acl")).unwrap();
    std::fs::write(&file, text.replace("SHA256_OF_THE_PASSWORD", &hex::encode(Sha256::digest(PASSWORD))))
        .unwrap();
    let redis = RedisServer::start_with(&["--aclfile", file.to_str().unwrap()]);
    let as_user = |wishes: &mut Wishes| {
        wishes.settings.redis.url = Some(RedisUrl::parse(&with_login(&redis.url())).unwrap());
    };

    let first = start_with(&redis, as_user).await;
    let second = second_instance(&redis, &first, as_user).await;
    let urls = thumb_urls(&first).await;
    assert_eq!(thumb_urls(&second).await, urls);

    assert_eq!(first.metric(r#"beetroot_redis_puts_total{outcome="stored"}"#), PERSONS as u64);
    assert_eq!(redis.cli(&["dbsize"]), PERSONS.to_string());
    assert_eq!(refused(&redis), BTreeSet::new());

    redis.cli(&["set", "another:a", "1"]);
    for outside in [
        ["flushall", "", ""],
        ["keys", "*", ""],
        ["config", "get", "*"],
        ["acl", "list", ""],
        ["del", "beetroot:a", ""],
        ["scan", "0", ""],
        ["get", "another:a", ""],
        ["set", "another:a", "2"],
    ] {
        let args: Vec<&str> = outside.into_iter().filter(|arg| !arg.is_empty()).collect();
        let port = redis.port().to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port, "--user", "beetroot", "--pass", PASSWORD, "--no-auth-warning"])
            .args(&args)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.starts_with("NOPERM"), "{args:?}: {text}");
    }
}

#[test]
fn a_redis_does_not_start_with_the_file_as_long_as_the_password_is_missing() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/redis.acl");
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let output = Command::new("redis-server")
        .args(["--port", "0", "--unixsocket", socket.to_str().unwrap(), "--aclfile", file])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("password hash"), "{text}");
}
