//! Connections to what `redis.url` names: one server, the master that Sentinels know, or the nodes of a Cluster; and the
//! pool that keeps them.
//!
//! A single server is deadpool-redis' own manager. Its managers of Sentinels and Clusters take neither certificates nor
//! timeouts, and check a connection in ways that a failover (Sentinel) or a lost node (Cluster) makes wrong, so these two
//! are made here.

use std::fmt;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Pool, RecycleError, RecycleResult, Timeouts};
use redis::aio::MultiplexedConnection;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, TlsCertificates, TlsMode, Value,
};
use secrecy::ExposeSecret;

use super::SharedCacheError;
use crate::config::{self, RedisKind, RedisUrl};

/// The longest that opening a connection to one node may take, with TLS and login. No request waits so long.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A Cluster's nodes send a call on when slots move; more often than this they are lost.
const CLUSTER_RETRIES: u32 = 2;
/// Between two such attempts, in milliseconds: redis-rs would wait longer than a request may.
const CLUSTER_RETRY_WAIT_MILLISECONDS: (u64, u64) = (5, 20);

/// Something to send commands to. Clones share what is below.
#[derive(Clone)]
pub(super) enum Connection {
    /// One server.
    Server(MultiplexedConnection),
    /// All nodes of a Cluster.
    Cluster(ClusterConnection),
}

/// Opens connections.
pub(super) enum Servers {
    Standalone(deadpool_redis::Manager),
    Sentinel(tokio::sync::Mutex<SentinelClient>, AsyncConnectionConfig),
    Cluster(ClusterClient),
}

/// The pool requires it; the clients would tell more than is wanted.
impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standalone(_) => "Standalone",
            Self::Sentinel(..) => "Sentinel",
            Self::Cluster(_) => "Cluster",
        })
    }
}

/// A pool without a connection yet.
pub(super) fn pool(url: &RedisUrl, settings: &config::Redis) -> Result<Pool<Servers>, SharedCacheError> {
    let certificates = read_certificates(settings)?;
    let servers = build(url, settings, certificates)
        .map_err(|source| SharedCacheError::Client { redis: url.to_string(), source })?;
    // Sentinels are asked all at once, and then the master: two connections, one after the other. So are a Cluster's nodes.
    let create = match url.kind {
        RedisKind::Standalone => CONNECT_TIMEOUT,
        RedisKind::Sentinel { .. } | RedisKind::Cluster => CONNECT_TIMEOUT * 2,
    };
    let timeouts =
        Timeouts { wait: Some(settings.deadline), create: Some(create), recycle: Some(settings.deadline) };
    let pool =
        Pool::builder(servers).max_size(settings.pool_size).timeouts(timeouts).runtime(Runtime::Tokio1);
    Ok(pool.build()?)
}

fn build(
    url: &RedisUrl,
    settings: &config::Redis,
    certificates: Option<TlsCertificates>,
) -> Result<Servers, RedisError> {
    // without it, Nagle's algorithm and delayed acknowledgements can hold back the end of a pipeline for 40 ms
    let tcp = TcpSettings::default().set_nodelay(true);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(settings.deadline));
    // without telling its name, which Redis 7.2 and newer know and a user with few rights may not do
    let mut login = RedisConnectionInfo::default().set_db(url.database.into()).set_skip_set_lib_name();
    let password = url.password.as_ref().map(ExposeSecret::expose_secret);
    if let Some(user) = &url.user {
        login = login.set_username(user);
    }
    if let Some(password) = password {
        login = login.set_password(password);
    }
    let addresses = url.nodes.iter().map(|(host, port)| address(host, *port, url.tls));
    let infos = addresses.clone().map(|address| {
        let info = address.into_connection_info()?;
        Ok(info.set_redis_settings(login.clone()).set_tcp_settings(tcp.clone()))
    });
    match &url.kind {
        RedisKind::Standalone => {
            let infos: Vec<ConnectionInfo> = infos.collect::<Result<_, RedisError>>()?;
            let [info] = <[ConnectionInfo; 1]>::try_from(infos).map_err(|_| {
                RedisError::from((redis::ErrorKind::InvalidClientConfig, "one server has one address"))
            })?;
            let info = match certificates {
                Some(certificates) if url.tls => {
                    redis::Client::build_with_tls(info, certificates)?.get_connection_info().clone()
                }
                _ => info,
            };
            Ok(Servers::Standalone(deadpool_redis::Manager::new_with_config(info, config)?))
        }
        RedisKind::Cluster => {
            let mut builder = ClusterClientBuilder::new(infos.collect::<Result<Vec<_>, RedisError>>()?)
                .connection_timeout(CONNECT_TIMEOUT)
                .response_timeout(settings.deadline)
                .overall_response_timeout(Some(settings.deadline))
                .retries(CLUSTER_RETRIES)
                .min_retry_wait(CLUSTER_RETRY_WAIT_MILLISECONDS.0)
                .max_retry_wait(CLUSTER_RETRY_WAIT_MILLISECONDS.1)
                .tcp_settings(tcp);
            if let Some(certificates) = certificates.filter(|_| url.tls) {
                builder = builder.certs(certificates);
            }
            Ok(Servers::Cluster(builder.build()?))
        }
        RedisKind::Sentinel { master_name } => {
            let mut builder = SentinelClientBuilder::new(addresses, master_name, SentinelServerType::Master)?
                .set_client_to_redis_db(url.database.into())
                .set_client_to_redis_tcp_settings(tcp.clone())
                .set_client_to_sentinel_tcp_settings(tcp);
            if let Some(user) = &url.user {
                builder = builder.set_client_to_redis_username(user);
            }
            if let Some(password) = password {
                builder = builder.set_client_to_redis_password(password);
            }
            let sentinel_password = settings.sentinel_password.expose_secret();
            if !sentinel_password.is_empty() {
                builder = builder.set_client_to_sentinel_password(sentinel_password);
            }
            if url.tls {
                builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
                if let Some(certificates) = certificates {
                    builder = builder
                        .set_client_to_redis_certificates(certificates.clone())
                        .set_client_to_sentinel_certificates(certificates);
                }
            }
            Ok(Servers::Sentinel(tokio::sync::Mutex::new(builder.build()?), config))
        }
    }
}

fn address(host: &str, port: u16, tls: bool) -> ConnectionAddr {
    let host = host.to_owned();
    if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    }
}

fn read_certificates(settings: &config::Redis) -> Result<Option<TlsCertificates>, SharedCacheError> {
    let Some(path) = settings.ca_file.clone() else { return Ok(None) };
    let pem = match std::fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(SharedCacheError::CaFile { path, source }),
    };
    // redis-rs takes a file without any, and would trust nobody
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(SharedCacheError::NoCertificate { path });
    }
    Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(pem) }))
}

impl Manager for Servers {
    type Type = Connection;
    type Error = RedisError;

    async fn create(&self) -> Result<Connection, RedisError> {
        match self {
            Self::Standalone(manager) => manager.create().await.map(Connection::Server),
            Self::Sentinel(client, config) => {
                let connection = client.lock().await.get_async_connection_with_config(config).await;
                connection.map(Connection::Server)
            }
            Self::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
        }
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<RedisError> {
        match (self, connection) {
            (Self::Standalone(manager), Connection::Server(connection)) => {
                manager.recycle(connection, metrics).await
            }
            // a master that was replaced may live on as a replica: it would answer a PING, and refuse every write
            (_, Connection::Server(connection)) => {
                let role: Vec<Value> = redis::cmd("ROLE").query_async(connection).await?;
                match role.first() {
                    Some(Value::BulkString(role)) if role == b"master" => Ok(()),
                    _ => Err(RecycleError::message("no longer the master")),
                }
            }
            // it mends itself; a PING goes to all nodes, and one that is lost would cost those that are not
            (_, Connection::Cluster(_)) => Ok(()),
        }
    }
}
