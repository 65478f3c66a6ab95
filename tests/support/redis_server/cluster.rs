//! A Redis Cluster of masters without replicas: a lost node takes its keys with it, and the others go on.

use std::process::Command;

use super::RedisServer;

pub struct RedisCluster {
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// At least three, which is what `redis-cli` wants.
    pub fn start(count: usize) -> Self {
        let args = [
            "--cluster-enabled",
            "yes",
            "--cluster-config-file",
            "nodes.conf",
            "--cluster-node-timeout",
            "1000",
            "--cluster-require-full-coverage",
            "no",
        ];
        let nodes: Vec<_> = (0..count).map(|_| RedisServer::start_with(&args)).collect();
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let output = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "0", "--cluster-yes"])
            .output()
            .expect("redis-cli: run ./scripts/test");
        assert!(output.status.success(), "{output:?}");
        for node in &nodes {
            node.wait_for(&["cluster", "info"], "cluster_state:ok");
            node.wait_for(&["cluster", "info"], "cluster_slots_ok:16384");
        }
        Self { nodes }
    }

    pub fn url(&self) -> String {
        let nodes: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}
