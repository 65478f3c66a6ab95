//! A master, its replica, and one Sentinel that is quick to replace the one by the other.

use super::RedisServer;

pub struct RedisSentinel {
    pub master: RedisServer,
    pub replica: RedisServer,
    sentinel: RedisServer,
}

impl RedisSentinel {
    pub fn start() -> Self {
        let master = RedisServer::start();
        let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
        // a Sentinel asks a master for its replicas when it first sees it, and then every ten seconds
        replica.wait_for(&["info", "replication"], "master_link_status:up");
        master.wait_for(&["info", "replication"], "state=online");
        let dir = tempfile::tempdir().expect("a directory");
        let config = dir.path().join("sentinel.conf");
        let port = master.port();
        let text = format!(
            "sentinel monitor main 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds main 300\n\
             sentinel failover-timeout main 3000\n"
        );
        std::fs::write(&config, text).expect("a file");
        let sentinel = RedisServer::start_sentinel(dir, &config);
        sentinel.wait_for(&["sentinel", "replicas", "main"], &replica.port().to_string());
        Self { master, replica, sentinel }
    }

    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.sentinel.port())
    }
}
