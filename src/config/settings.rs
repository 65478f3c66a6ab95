//! The settings as typed values: what the rest of the crate is built from. Owns their meaning, units and defaults;
//! refuses to know files and the environment (`load`). A `Debug` output holds no secret.
//! The defaults named here are those of `config/default.toml`, and a test compares them.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::load::{Sources, load};
use super::redis_url::RedisUrl;

/// Everything an operator can choose, one field per section of the settings files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where and how the service listens.
    pub server: Server,
    /// Which web pages may read the answers.
    pub cors: Cors,
    /// Where AWS is, when it is not where the SDK finds it.
    pub aws: Aws,
    /// Tables, and how long and how hard to try.
    pub dynamodb: Dynamodb,
    /// The ranking of persons.
    pub persons: Persons,
    /// Signed URLs.
    pub presign: Presign,
    /// The cache that instances share.
    pub redis: Redis,
    /// What this process keeps in memory.
    pub cache: Cache,
    /// Paging of both lists.
    pub lists: Lists,
    /// What tells the service's own texts from others.
    pub seal: Seal,
    /// The log.
    pub log: Log,
}

/// `[server]`: where and how the service listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// IP address (IPv6 without brackets) or host name to listen on. Default `127.0.0.1`: this machine only.
    pub host: String,
    /// TCP port, 0 to 65535; 0 lets the system choose a free one. Default 8080.
    pub port: u16,
    /// Worker threads, 0 to 512; 0 is one per core. Default 0.
    pub workers: usize,
    /// Connections open at once on all workers together, 1 to 1000000; one more waits in the system's queue. Default 8192.
    pub max_connections: usize,
    /// Connections that the system holds while none is accepted, 1 to 65535, each listener. Default 1024.
    pub backlog: u32,
    /// Requests worked on at once, 1 to 1000000; one more is answered 503 at once. Default 1024: most of them wait
    /// for the same few answers, which costs little.
    pub max_in_flight: usize,
    /// The longest that a request may take, 1 ms to 1 h; then it is a 503. Default 10 s.
    pub request_timeout: Duration,
    /// How long an idle connection stays open, 0 s to 1 h; 0 closes it after each answer. Default 75 s, longer than
    /// the 60 s of common load balancers: the side that closes first must be theirs, or requests get lost.
    pub keep_alive: Duration,
    /// How long a client may take to send the head of a request, 1 ms to 1 h; then it is a 408. Default 5 s.
    pub client_request_timeout: Duration,
    /// How long a client may take nothing of its answer, 1 ms to 1 h; then its connection is cut. Default 30 s.
    pub client_write_timeout: Duration,
    /// How long calls to a table must have gone without an answer before readiness is off, whole seconds, 1 s to 1 h. Default
    /// 30 s. Throttling and errors that DynamoDB answers with never turn it off.
    pub unready_after: Duration,
    /// How long readiness is off before the listener closes, 0 s to 1 h. Default 0 s; behind a load balancer it should
    /// cover the interval of its health check.
    pub drain_delay: Duration,
    /// How long requests in flight may go on after the listener closed, whole seconds, 0 s to 1 h. Default 20 s.
    pub shutdown_timeout: Duration,
    /// Whether `/` is a page that shows the pictures. Default no: then `/` is a 404 like any unknown path.
    pub viewer: bool,
}

impl Server {
    /// The worker threads that `workers` stands for.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            workers => workers,
        }
    }
}

/// `[cors]`: which web pages may read the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Origins that get an `Access-Control-Allow-Origin`. Default any.
    pub allowed_origins: AllowedOrigins,
}

/// The origins that may read the answers from a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// `*`: every page.
    #[default]
    Any,
    /// Exactly these, each `scheme://host[:port]` as a browser sends it: lower case, without the scheme's own port.
    /// An empty list allows no foreign page.
    List(Vec<String>),
}

/// `[aws]`: where AWS is. `None` is what the AWS SDK finds by itself (`AWS_REGION`, `AWS_ENDPOINT_URL_S3`, profiles, …).
/// Endpoints are `http` or `https` URLs without user, query, fragment and closing slash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aws {
    /// The region of tables and buckets, such as `eu-central-1`.
    pub region: Option<String>,
    /// The address of DynamoDB.
    pub dynamodb_endpoint: Option<String>,
    /// The address of S3 that this service uses. Set, it also makes URLs path style.
    pub s3_endpoint: Option<String>,
    /// The address of S3 that browsers use, when it is another one than this service uses. Signed URLs carry it.
    pub s3_public_endpoint: Option<String>,
}

/// `[dynamodb]`: tables, and how long and how hard to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamodb {
    /// Name or ARN of the table of persons. Default `Persons`.
    pub persons_table: String,
    /// Name or ARN of the table of occurrences. Default `Occurrences`.
    pub occurrences_table: String,
    /// Name or ARN of the table of photos. Default `Photos`.
    pub photos_table: String,
    /// The longest that opening a connection may take, 1 ms to 1 h. Default 1 s.
    pub connect_timeout: Duration,
    /// The longest that one attempt of a call may take, 1 ms to 1 h. Default 2 s.
    pub attempt_timeout: Duration,
    /// The longest that a call may take with all its attempts, 1 ms to 1 h. Default 5 s; keep it below
    /// [`Server::request_timeout`], which ends the request in any case.
    pub operation_timeout: Duration,
    /// Attempts per call, the first included, 1 to 20. Default 3.
    pub max_attempts: u32,
    /// `BatchGetItem` calls at once per request, 1 to 64. Default 4.
    pub batch_concurrency: usize,
}

/// `[persons]`: the ranking of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persons {
    /// Persons at which a scan stops, 1 to 10000000: a bound for its cost. Default 100000. Beyond it the
    /// ranking misses persons, which the log and a metric tell.
    pub scan_limit: usize,
}

/// `[presign]`: signed URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presign {
    /// The bucket of `repThumbKey` and `thumbKey`. No default: required.
    pub thumbs_bucket: String,
    /// The life of a signed URL, whole seconds, 1 s to 7 days. Default 1 h. Credentials that end sooner shorten it.
    pub expires: Duration,
    /// The life that a URL still has at least when it is handed out, whole seconds, below `expires`.
    /// Default a twelfth of `expires`, at most 300 s.
    pub margin: Duration,
    /// The template of the signed `response-cache-control`; `{expires}` stands for the life in seconds; empty is off.
    /// Visible ASCII and spaces. Default `private, max-age={expires}, immutable`.
    /// Use [`Presign::response_cache_control()`] for the finished value.
    pub response_cache_control: String,
    /// What may be signed; empty allows everything that the role can read. Default empty.
    pub allow: Vec<AllowedPrefix>,
}

impl Presign {
    /// The value of `response-cache-control` with its placeholder filled in; `None` when it is off.
    pub fn response_cache_control(&self) -> Option<String> {
        let template = &self.response_cache_control;
        (!template.is_empty()).then(|| template.replace("{expires}", &self.expires.as_secs().to_string()))
    }
}

/// Objects that may be signed: those of a bucket whose keys begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPrefix {
    /// The bucket, the whole name.
    pub bucket: String,
    /// What a key must begin with; empty allows the whole bucket. `photos` also allows `photos-private/…`:
    /// end it with a slash to mean a folder.
    pub prefix: String,
}

/// `[redis]`: the cache that instances share. Nothing depends on it but speed and agreement.
#[derive(Debug, Clone)]
pub struct Redis {
    /// Where it is; `None` is off. Default off.
    pub url: Option<RedisUrl>,
    /// The password of the Sentinels, for their user `default`; empty is none. Default empty: the password in the URL is
    /// that of the servers behind them, and Sentinels are not asked for it.
    pub sentinel_password: SecretString,
    /// PEM certificates of the authorities to trust instead of those of the system. Default none.
    pub ca_file: Option<PathBuf>,
    /// What every cache key begins with, 1 to 64 of `A-Za-z0-9_.-`. Default `beetroot`.
    pub namespace: String,
    /// The longest that one request waits for Redis in all, 1 ms to 10 s. Default 100 ms.
    pub deadline: Duration,
    /// Connections, 1 to 1000; each carries many requests at once. Default 8.
    pub pool_size: usize,
}

/// `[cache]`: what this process keeps in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// The bound of all caches in this process together, at least 1 MiB. Default 64 MiB.
    pub memory: ByteSize,
    /// How long a URL in memory counts without asking Redis again, 0 s to 1 h. Default 30 s.
    pub confirm: Duration,
}

/// A number of bytes. `Display` is its shortest form with a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub usize);

impl ByteSize {
    /// The units, largest first, and their bytes.
    pub(super) const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

    /// The number.
    pub fn bytes(self) -> usize {
        self.0
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::UNITS.into_iter().find(|(_, bytes)| self.0 > 0 && self.0.is_multiple_of(*bytes)) {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

/// `[lists]`: both lists, their reuse and their paging.
#[derive(Debug, Clone)]
pub struct Lists {
    /// How long an answer is given again without asking DynamoDB, 0 s to 1 h. Default 5 s; 0 s turns the reuse of answers off.
    pub fresh: Duration,
    /// How much longer an answer is given while a new one is being made, 0 s to 1 h. Default 30 s. While DynamoDB fails it is
    /// given on as long as its URLs may be.
    pub stale: Duration,
    /// Answers that are made at once for each worker, 1 to 10000. Four times as many wait for a place, a second at most; the rest is
    /// a 503 at once. Default 24.
    pub made_at_once: usize,
}

/// `[seal]`: what tells the service's own texts from others.
#[derive(Debug, Clone, Default)]
pub struct Seal {
    /// The key that seals cursors and the places of photos in Redis, at least 16 bytes, the same on all instances. Default
    /// empty: a built-in key, which guards against accidents and not against someone who has read the source.
    pub key: SecretString,
}

/// `[log]`: the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// How a line looks. Default `auto`.
    pub format: LogFormat,
    /// What is logged, as `tracing-subscriber` filter directives. Default `info,actix_server=warn,actix_http=off`. `RUST_LOG` wins
    /// over everything.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    Text,
}

impl Settings {
    /// The compiled-in defaults with this bucket of thumbnails: for tests and the demo, which take settings as values and
    /// change fields of them. Reads neither files nor the environment.
    ///
    /// # Panics
    /// When `thumbs_bucket` is not a legal bucket name; callers pass a constant.
    pub fn defaults(thumbs_bucket: &str) -> Self {
        match load(Sources::of(&[("THUMBS_BUCKET", thumbs_bucket)])) {
            Ok(loaded) => loaded.settings,
            Err(faults) => panic!("{faults}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_that_the_fields_document() {
        let settings = Settings::defaults("thumbs");
        insta::assert_debug_snapshot!(settings, @r#"
        Settings {
            server: Server {
                host: "127.0.0.1",
                port: 8080,
                workers: 0,
                max_connections: 8192,
                backlog: 1024,
                max_in_flight: 1024,
                request_timeout: 10s,
                keep_alive: 75s,
                client_request_timeout: 5s,
                client_write_timeout: 30s,
                unready_after: 30s,
                drain_delay: 0ns,
                shutdown_timeout: 20s,
                viewer: false,
            },
            cors: Cors {
                allowed_origins: Any,
            },
            aws: Aws {
                region: None,
                dynamodb_endpoint: None,
                s3_endpoint: None,
                s3_public_endpoint: None,
            },
            dynamodb: Dynamodb {
                persons_table: "Persons",
                occurrences_table: "Occurrences",
                photos_table: "Photos",
                connect_timeout: 1s,
                attempt_timeout: 2s,
                operation_timeout: 5s,
                max_attempts: 3,
                batch_concurrency: 4,
            },
            persons: Persons {
                scan_limit: 100000,
            },
            presign: Presign {
                thumbs_bucket: "thumbs",
                expires: 3600s,
                margin: 300s,
                response_cache_control: "private, max-age={expires}, immutable",
                allow: [],
            },
            redis: Redis {
                url: None,
                sentinel_password: SecretBox<str>([REDACTED]),
                ca_file: None,
                namespace: "beetroot",
                deadline: 100ms,
                pool_size: 8,
            },
            cache: Cache {
                memory: ByteSize(
                    67108864,
                ),
                confirm: 30s,
            },
            lists: Lists {
                fresh: 5s,
                stale: 30s,
                made_at_once: 24,
            },
            seal: Seal {
                key: SecretBox<str>([REDACTED]),
            },
            log: Log {
                format: Auto,
                filter: "info,actix_server=warn,actix_http=off",
            },
        }
        "#);
    }
}
