//! Reads one key after the other, and goes on after a fault: an operator sees all of them at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fault::quote_value;
use super::report::{Entry, Shown};
use super::settings::{
    Aws, ByteSize, Cache, Cors, Dynamodb, Lists, Log, Persons, Presign, Redis, Seal, Server, Settings,
};
use super::value::{self, Found, Parsed};

/// The limit of Signature Version 4 for a presigned URL.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html> (`X-Amz-Expires`)
const EXPIRES_MAX: Duration = Duration::from_hours(7 * 24);
const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_hours(1);
/// Redis saves time, and beyond this it could only cost some.
const REDIS_DEADLINE_MAX: Duration = Duration::from_secs(10);
/// Below this the caches would hold next to nothing.
const CACHE_MEMORY_MIN: ByteSize = ByteSize(1 << 20);

/// The values in force by key, and what reading them has brought up so far.
pub(super) struct Reader {
    found: BTreeMap<String, Found>,
    pub(super) faults: Vec<String>,
    pub(super) report: Vec<Entry>,
}

impl Reader {
    pub(super) fn new(found: BTreeMap<String, Found>) -> Self {
        Self { found, faults: Vec::new(), report: Vec::new() }
    }

    /// The value of a key. After a fault a placeholder, which no one sees: a fault stops the load.
    fn take<T: Shown + Default>(&mut self, key: &'static str, parse: impl FnOnce(&Found) -> Parsed<T>) -> T {
        let Some(found) = self.found.get(key) else {
            self.faults.push(format!("{key}: config/default.toml has no such key"));
            return T::default();
        };
        match parse(found) {
            Ok(value) => {
                self.report.push(Entry { key, value: value.shown(), origin: found.origin.to_string() });
                value
            }
            Err(accepted) => {
                let value = if T::SECRET { "(hidden)".to_owned() } else { quote_value(&found.value) };
                self.faults.push(format!("{key} ({}): found {value}; accepted: {accepted}", found.origin));
                T::default()
            }
        }
    }

    /// All settings. They may be used only when `faults` is empty afterwards.
    pub(super) fn settings(&mut self) -> Settings {
        Settings {
            server: self.server(),
            cors: Cors { allowed_origins: self.take("cors.allowed_origins", value::allowed_origins) },
            aws: self.aws(),
            dynamodb: self.dynamodb(),
            persons: Persons {
                scan_limit: self.take("persons.scan_limit", |found| value::number(found, 1..=10_000_000)),
            },
            presign: self.presign(),
            redis: self.redis(),
            cache: Cache {
                memory: self.take("cache.memory", |found| value::byte_size(found, CACHE_MEMORY_MIN)),
                confirm: self.take("cache.confirm", span),
            },
            lists: Lists {
                fresh: self.take("lists.fresh", span),
                stale: self.take("lists.stale", span),
                made_at_once: self.take("lists.made_at_once", |found| value::number(found, 1..=10_000)),
            },
            seal: Seal { key: self.take("seal.key", value::seal_key) },
            log: Log {
                format: self.take("log.format", value::log_format),
                filter: self.take("log.filter", value::log_filter),
            },
        }
    }

    fn server(&mut self) -> Server {
        Server {
            host: self.take("server.host", value::host),
            port: self.take("server.port", |found| value::number(found, 0..=u16::MAX)),
            workers: self.take("server.workers", |found| value::number(found, 0..=512)),
            max_connections: self.take("server.max_connections", |found| value::number(found, 1..=1_000_000)),
            backlog: self.take("server.backlog", |found| value::number(found, 1..=65_535)),
            max_in_flight: self.take("server.max_in_flight", |found| value::number(found, 1..=1_000_000)),
            request_timeout: self.take("server.request_timeout", deadline),
            keep_alive: self.take("server.keep_alive", span),
            client_request_timeout: self.take("server.client_request_timeout", deadline),
            client_write_timeout: self.take("server.client_write_timeout", deadline),
            unready_after: self
                .take("server.unready_after", |found| value::whole_seconds(found, SECOND..=HOUR)),
            drain_delay: self.take("server.drain_delay", span),
            shutdown_timeout: self
                .take("server.shutdown_timeout", |found| value::whole_seconds(found, Duration::ZERO..=HOUR)),
            viewer: self.take("server.viewer", value::switch),
        }
    }

    fn aws(&mut self) -> Aws {
        let endpoint = |found: &Found| value::optional(found, value::endpoint);
        Aws {
            region: self.take("aws.region", |found| value::optional(found, value::region)),
            dynamodb_endpoint: self.take("aws.dynamodb_endpoint", endpoint),
            s3_endpoint: self.take("aws.s3_endpoint", endpoint),
            s3_public_endpoint: self.take("aws.s3_public_endpoint", endpoint),
        }
    }

    fn dynamodb(&mut self) -> Dynamodb {
        Dynamodb {
            persons_table: self.take("dynamodb.persons_table", value::table),
            occurrences_table: self.take("dynamodb.occurrences_table", value::table),
            photos_table: self.take("dynamodb.photos_table", value::table),
            connect_timeout: self.take("dynamodb.connect_timeout", deadline),
            attempt_timeout: self.take("dynamodb.attempt_timeout", deadline),
            operation_timeout: self.take("dynamodb.operation_timeout", deadline),
            max_attempts: self.take("dynamodb.max_attempts", |found| value::number(found, 1..=20)),
            batch_concurrency: self.take("dynamodb.batch_concurrency", |found| value::number(found, 1..=64)),
        }
    }

    fn presign(&mut self) -> Presign {
        let thumbs_bucket = self.thumbs_bucket();
        let expires = self.take("presign.expires", |found| value::whole_seconds(found, SECOND..=EXPIRES_MAX));
        Presign {
            thumbs_bucket,
            expires,
            margin: self.margin(expires),
            response_cache_control: self.take("presign.response_cache_control", value::header_template),
            allow: self.take("presign.allow", value::allowed_prefixes),
        }
    }

    fn redis(&mut self) -> Redis {
        Redis {
            url: self.take("redis.url", |found| value::optional(found, value::redis_url)),
            sentinel_password: self.take("redis.sentinel_password", value::password),
            ca_file: self.take("redis.ca_file", |found| value::optional(found, value::path)),
            namespace: self.take("redis.namespace", value::namespace),
            deadline: self
                .take("redis.deadline", |found| value::duration(found, MILLISECOND..=REDIS_DEADLINE_MAX)),
            pool_size: self.take("redis.pool_size", |found| value::number(found, 1..=1000)),
        }
    }

    fn thumbs_bucket(&mut self) -> String {
        let key = "presign.thumbs_bucket";
        if self.is_unset(key) {
            self.faults.push(format!(
                "THUMBS_BUCKET is required: the bucket that holds the thumbnails. Set this environment variable, or \
                 {key} in a file"
            ));
            return String::new();
        }
        self.take(key, value::bucket)
    }

    /// `expires` is zero when it was faulty: that has had its sentence, and a comparison would only add noise.
    fn margin(&mut self, expires: Duration) -> Duration {
        let key = "presign.margin";
        if self.is_unset(key) {
            let margin = default_margin(expires);
            let origin = "computed: a twelfth of presign.expires, at most 5m".to_owned();
            self.report.push(Entry { key, value: margin.shown(), origin });
            return margin;
        }
        let origin =
            self.found.get("presign.expires").map(|found| found.origin.to_string()).unwrap_or_default();
        self.take(key, |found| {
            let margin = value::whole_seconds(found, Duration::ZERO..=EXPIRES_MAX)?;
            if margin < expires || expires.is_zero() {
                Ok(margin)
            } else {
                Err(format!("less than presign.expires, which is {} ({origin})", expires.shown()))
            }
        })
    }

    fn is_unset(&self, key: &str) -> bool {
        self.found.get(key).is_some_and(Found::is_empty_text)
    }
}

/// The margin when none is set: a twelfth of the life, at most 300 s, whole seconds.
fn default_margin(expires: Duration) -> Duration {
    Duration::from_secs((expires.as_secs() / 12).min(300))
}

/// A deadline: long enough to be met, short enough to be one.
fn deadline(found: &Found) -> Parsed<Duration> {
    value::duration(found, MILLISECOND..=HOUR)
}

/// A time span that may be none.
fn span(found: &Found) -> Parsed<Duration> {
    value::duration(found, Duration::ZERO..=HOUR)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]
mod tests {
    use crate::config::{AllowedOrigins, Settings, Sources, load};

    const BUCKET: (&str, &str) = ("THUMBS_BUCKET", "thumbs");

    fn faults_of_file(text: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().display().to_string();
        let sources = Sources { config_file: Some(file.path().to_owned()), ..Sources::of(&[BUCKET]) };
        let faults = load(sources).expect_err("there should be faults");
        faults.sentences().iter().map(|sentence| sentence.replace(&path, "FILE")).collect()
    }

    #[test]
    fn each_fault_of_a_file_is_told_in_one_sentence_and_all_at_once() {
        let text = r#"
            [server]
            host = "http://x"
            port = "80"
            max_in_flight = 0
            request_timeout = 10
            keep_alive = "75"
            shutdown_timeout = "1500ms"
            hots = "x"
            [cors]
            allowed_origins = ["https://x.example/path"]
            [aws]
            s3_endpoint = "https://user:hunter2@s3.example"
            [dynamodb]
            persons_table = true
            max_attempts = 3.5
            [presign]
            expires = "8days"
            allow = "raw/"
            response_cache_control = "max-age={expiry}"
            [log]
            format = "xml"
            filter = "a=b=c"
            [sever]
            [dynamodb.photos_table]
        "#;
        insta::assert_snapshot!(faults_of_file(text).join("\n"), @r#"
        server.host (FILE): found "http://x"; accepted: an IP address such as 0.0.0.0 or :: (without brackets), or a host name
        server.port (FILE): found "80"; accepted: a whole number without quotes, 0 to 65535
        server.max_in_flight (FILE): found 0; accepted: a whole number without quotes, 1 to 1000000
        server.request_timeout (FILE): found 10; accepted: a duration with a unit such as "500ms", "5s" or "2m", 1ms to 1h (a bare number has no unit)
        server.keep_alive (FILE): found "75"; accepted: a duration with a unit such as "500ms", "5s" or "2m", 0s to 1h (a bare number has no unit)
        server.shutdown_timeout (FILE): found "1500ms"; accepted: a duration of whole seconds, such as "5s"
        cors.allowed_origins (FILE): found ["https://x.example/path"]; accepted: "*", or an array of origins "scheme://host[:port]"; "https://x.example/path" is not one
        aws.s3_endpoint (FILE): found (hidden: before an @ there may be a password); accepted: an http:// or https:// URL without user, query and fragment, such as http://localhost:8000; empty is unset
        dynamodb.persons_table (FILE): found true; accepted: the name of a table: 3 to 255 letters, digits, _, . and -; or the ARN of a table
        dynamodb.photos_table (FILE): found a table; accepted: the name of a table: 3 to 255 letters, digits, _, . and -; or the ARN of a table
        dynamodb.max_attempts (FILE): found 3.5; accepted: a whole number without quotes, 1 to 20
        presign.expires (FILE): found "8days"; accepted: a duration with a unit such as "500ms", "5s" or "2m", 1s to 7days
        presign.response_cache_control (FILE): found "max-age={expiry}"; accepted: a Cache-Control value of visible ASCII characters and spaces, in which only {expires} may stand in braces; empty is off
        presign.allow (FILE): found "raw/"; accepted: an array of "bucket/prefix" (or "bucket/" for all of it)
        log.format (FILE): found "xml"; accepted: auto, json or text
        log.filter (FILE): found "a=b=c"; accepted: filter directives, such as info or info,beetroot_api=debug; off is silence
        server.hots (FILE): unknown key; did you mean server.host?
        sever (FILE): unknown key; config/default.toml explains all that exist
        "#);
    }

    #[test]
    fn each_fault_of_the_environment_is_told_in_one_sentence_and_all_at_once() {
        let faults = load(Sources::of(&[
            ("PRESIGN_EXPIRES", "1h"),
            ("PORT", "65536"),
            ("HOST", "[::1]"),
            ("CORS_ALLOWED_ORIGINS", "https://a.example,*"),
            ("S3_PUBLIC_ENDPOINT", "s3.example"),
            ("PHOTOS_TABLE", "x"),
            ("REDIS_URL", "redis://user:hunter2"),
            ("BEETROOT__CACHE__MEMORY", "1MB"),
            ("BEETROOT__REDIS__NAMESPACE", "a:b"),
            ("BEETROOT__REDIS__DEADLINE", "11s"),
            ("SOMEBODY_ELSES", "x"),
            ("BEETROOT__PRESIGN__MARGIN", "5"),
            ("BEETROOT__PERSONS__SCAN_LIMIT", "many"),
            ("BEETROOT__PRESIGN__ALLOW", "raw/photos/,"),
            ("BEETROOT__PORT", "80"),
            ("BEETROOT__PRESIGN__EXPIRY", "1h"),
            ("BEETROOT__", ""),
        ]))
        .expect_err("there should be faults");
        insta::assert_snapshot!(faults, @r#"
        17 faults in the settings:
          server.host (environment variable HOST): found "[::1]"; accepted: an IP address such as 0.0.0.0 or :: (without brackets), or a host name
          server.port (environment variable PORT): found "65536"; accepted: a whole number, 0 to 65535
          cors.allowed_origins (environment variable CORS_ALLOWED_ORIGINS): found "https://a.example,*"; accepted: * alone, or origins scheme://host[:port] with commas between them; "*" is not one
          aws.s3_public_endpoint (environment variable S3_PUBLIC_ENDPOINT): found "s3.example"; accepted: an http:// or https:// URL without user, query and fragment, such as http://localhost:8000; empty is unset
          dynamodb.photos_table (environment variable PHOTOS_TABLE): found "x"; accepted: the name of a table: 3 to 255 letters, digits, _, . and -; or the ARN of a table
          persons.scan_limit (environment variable BEETROOT__PERSONS__SCAN_LIMIT): found "many"; accepted: a whole number, 1 to 10000000
          THUMBS_BUCKET is required: the bucket that holds the thumbnails. Set this environment variable, or presign.thumbs_bucket in a file
          presign.expires (environment variable PRESIGN_EXPIRES): found "1h"; accepted: seconds as a plain number without a unit, 1 to 604800
          presign.margin (environment variable BEETROOT__PRESIGN__MARGIN): found "5"; accepted: a duration with a unit such as "500ms", "5s" or "2m", 0s to 7days (a bare number has no unit)
          presign.allow (environment variable BEETROOT__PRESIGN__ALLOW): found "raw/photos/,"; accepted: bucket/prefix (or bucket/ for all of it) with commas between them; "" is not one
          redis.url (environment variable REDIS_URL): found (hidden); accepted: redis://[[user]:password@]host[:port][/database], redis+cluster://[…@]host:port,host:port, redis+sentinel://[…@]host:port,host:port/master-name[/database]; with TLS rediss://, rediss+cluster://, rediss+sentinel://; empty is off; what was found: the port of user is not a number from 1 to 65535
          redis.namespace (environment variable BEETROOT__REDIS__NAMESPACE): found "a:b"; accepted: 1 to 64 letters, digits, _, . and -
          redis.deadline (environment variable BEETROOT__REDIS__DEADLINE): found "11s"; accepted: a duration with a unit such as "500ms", "5s" or "2m", 1ms to 10s
          cache.memory (environment variable BEETROOT__CACHE__MEMORY): found "1MB"; accepted: bytes, plain or with a unit such as "512KiB", "64MiB" or "1GiB", at least 1MiB
          environment variable BEETROOT__: unknown key; config/default.toml explains all that exist
          environment variable BEETROOT__PORT: unknown key; did you mean BEETROOT__SERVER__PORT?
          environment variable BEETROOT__PRESIGN__EXPIRY: unknown key; did you mean BEETROOT__PRESIGN__EXPIRES?
        "#);
    }

    #[test]
    fn a_margin_that_is_not_below_the_expiry_is_told_with_where_both_come_from() {
        let sources = [BUCKET, ("PRESIGN_EXPIRES", "60"), ("PRESIGN_MARGIN", "60")];
        insta::assert_snapshot!(load(Sources::of(&sources)).unwrap_err(), @r#"
        1 fault in the settings:
          presign.margin (environment variable PRESIGN_MARGIN): found "60"; accepted: less than presign.expires, which is 1m (environment variable PRESIGN_EXPIRES)
        "#);
    }

    #[test]
    fn values_take_their_types_from_text() {
        let loaded = load(Sources::of(&[
            BUCKET,
            ("PORT", "0"),
            ("PRESIGN_MARGIN", "0"),
            ("CORS_ALLOWED_ORIGINS", "https://A.example, http://localhost:3000"),
            ("BEETROOT__PRESIGN__ALLOW", "thumbs/faces/,raw"),
            ("S3_PUBLIC_ENDPOINT", "https://pictures.example/"),
        ]))
        .unwrap();
        let Settings { server, cors, aws, presign, .. } = loaded.settings;
        assert_eq!(server.port, 0);
        assert!(presign.margin.is_zero());
        assert_eq!(
            cors.allowed_origins,
            AllowedOrigins::List(["https://a.example", "http://localhost:3000"].map(str::to_owned).to_vec())
        );
        assert_eq!(presign.allow.len(), 2);
        assert_eq!(aws.s3_public_endpoint.as_deref(), Some("https://pictures.example"));
        assert_eq!(presign.response_cache_control().as_deref(), Some("private, max-age=3600, immutable"));
    }
}
