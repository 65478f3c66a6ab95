//! The composition root: the only place where clients are built. Settings in, a listening service out.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::catalog::{Catalog, PhotoLocations};
use crate::clock::Clock;
use crate::config::{Dynamodb, Settings};
use crate::domain::AllowList;
use crate::gallery::{AnswerOptions, Answers, Gallery, Pages, Places, RankingOptions, SharedRanking};
use crate::http;
use crate::seal::Seal;
use crate::shared_cache::{SharedCache, SharedCacheError};
use crate::telemetry::metrics::Metrics;
use crate::urls::{Credentials, EndpointError, Endpoints, Schedule, Sharing, UrlBook};

/// What a service needs from outside of its settings.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Credentials, region and endpoints as the AWS SDK found them.
    pub aws: SdkConfig,
    /// What time it is.
    pub clock: Clock,
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Neither environment nor profile nor settings name a region.
    #[error("no AWS region: set AWS_REGION, a region in the AWS profile, or aws.region")]
    NoRegion,
    /// The SDK was told to use no credentials at all.
    #[error("no source of AWS credentials: nothing could be signed")]
    NoCredentials,
    /// The thumbnails' bucket has no address, so no URL would ever be signed.
    #[error("presign.thumbs_bucket cannot be used with this region and these endpoints")]
    ThumbsBucket(#[source] EndpointError),
    /// No Redis could be used with these settings.
    #[error(transparent)]
    SharedCache(#[from] SharedCacheError),
    /// The address is taken, not this machine's, or not allowed.
    #[error("cannot listen on {host}:{port} (server.host, server.port)")]
    Bind {
        /// As the settings say.
        host: String,
        /// As the settings say.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
}

/// A service that listens; [`App::run`] lets it answer.
pub struct App {
    server: Server,
    addr: SocketAddr,
    draining: Arc<AtomicBool>,
    drain_delay: Duration,
    metrics: Metrics,
    shared_cache: SharedCache,
}

impl App {
    /// Builds the clients and binds the listener. Asks neither DynamoDB nor S3 nor Redis nor the credentials provider.
    pub async fn build(settings: Settings, outside: Outside) -> Result<Self, BuildError> {
        let metrics = Metrics::default();
        let draining = Arc::new(AtomicBool::new(false));
        let shared_cache = SharedCache::new(&settings.redis, metrics.clone())?;
        let gallery = build_gallery(&settings, outside, &metrics, shared_cache.clone()).await?;
        let server = settings.server;
        let shared = web::Data::new(http::Shared {
            gallery,
            metrics: metrics.clone(),
            max_in_flight: server.max_in_flight,
            in_flight: AtomicUsize::new(0),
            origins: settings.cors.allowed_origins,
            viewer: server.viewer,
            draining: Arc::clone(&draining),
        });
        let (running, addr) = http::server::bind(&server, &shared).map_err(|source| BuildError::Bind {
            host: server.host,
            port: server.port,
            source,
        })?;
        Ok(Self { server: running, addr, draining, drain_delay: server.drain_delay, metrics, shared_cache })
    }

    /// Where it listens: the port that the system chose when the settings say 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What this instance counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The cache that it shares with other instances.
    pub fn shared_cache(&self) -> &SharedCache {
        &self.shared_cache
    }

    /// Answers until `shutdown` is over; then readiness turns off for `server.drain_delay`, the listener closes, and requests
    /// in flight are answered within `server.shutdown_timeout`.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let mut server = self.server;
        let handle = server.handle();
        tokio::select! {
            ended = &mut server => return ended,
            () = shutdown => {}
        }
        self.draining.store(true, Ordering::Relaxed);
        tracing::info!(drain_delay = ?self.drain_delay, "draining");
        tokio::select! {
            ended = &mut server => return ended,
            () = tokio::time::sleep(self.drain_delay) => {}
        }
        let (ended, ()) = tokio::join!(server, handle.stop(true));
        tracing::info!("ended");
        ended
    }
}

async fn build_gallery(
    settings: &Settings,
    outside: Outside,
    metrics: &Metrics,
    shared: SharedCache,
) -> Result<Gallery, BuildError> {
    let Outside { aws, clock } = outside;
    let sdk = sdk_config(settings, aws)?;
    let catalog = catalog(settings, &sdk, metrics);

    let memory = settings.cache.shares();
    let seal = Seal::new(&settings.seal.key);
    let locations = PhotoLocations::new(
        catalog.clone(),
        clock.clone(),
        metrics.clone(),
        seal.clone(),
        settings.redis.namespace.clone(),
        memory.locations,
    );

    let urls = url_book(settings, &sdk, &clock, metrics).await?;
    let ranking = RankingOptions {
        fresh: settings.lists.fresh,
        memory: memory.ranking,
        deadline: settings.server.request_timeout,
    };
    let places = settings.lists.made_at_once * settings.server.worker_count();
    let pages = Pages {
        places: Places::new(places),
        catalog,
        ranking: Arc::new(SharedRanking::new(ranking, clock.clone(), metrics.clone())),
        locations,
        urls,
        shared,
        thumbs_bucket: settings.presign.thumbs_bucket.clone(),
        seal,
    };
    let options = AnswerOptions {
        fresh: settings.lists.fresh,
        stale: settings.lists.stale,
        memory: memory.answers,
        deadline: settings.server.request_timeout,
        places,
    };
    let answers = Answers::new(options, clock.clone(), metrics.clone());
    Ok(Gallery::new(pages, answers, clock, settings.server.unready_after))
}

/// What all clients of AWS begin with: what the SDK found, in the region of the settings when they name one.
pub fn sdk_config(settings: &Settings, aws: SdkConfig) -> Result<SdkConfig, BuildError> {
    let mut sdk = aws.into_builder();
    if let Some(region) = &settings.aws.region {
        sdk = sdk.region(aws_types::region::Region::new(region.clone()));
    }
    let sdk = sdk.build();
    // the SDK takes an empty AWS_REGION for a region
    if sdk.region().is_none_or(|region| region.as_ref().is_empty()) {
        return Err(BuildError::NoRegion);
    }
    Ok(sdk)
}

/// The reader of the tables.
pub fn catalog(settings: &Settings, sdk: &SdkConfig, metrics: &Metrics) -> Catalog {
    let client = dynamodb_client(sdk, settings);
    Catalog::new(client, settings.dynamodb.clone(), settings.persons.scan_limit, metrics.clone())
}

/// What may be signed.
pub fn allow_list(settings: &Settings) -> AllowList {
    let allowed = settings.presign.allow.iter();
    AllowList::new(allowed.map(|allowed| (allowed.bucket.clone(), allowed.prefix.clone())).collect())
}

/// The signer of URLs. Asks nobody yet.
pub async fn url_book(
    settings: &Settings,
    sdk: &SdkConfig,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<UrlBook, BuildError> {
    let provider = sdk.credentials_provider().ok_or(BuildError::NoCredentials)?;
    let presign = &settings.presign;
    let public_endpoint = settings.aws.s3_public_endpoint.as_ref().or(settings.aws.s3_endpoint.as_ref());
    let public_endpoint = public_endpoint.map(String::as_str);
    let endpoints = Endpoints::new(sdk, public_endpoint, presign.response_cache_control(), presign.expires);
    endpoints.resolve(&presign.thumbs_bucket).await.map_err(BuildError::ThumbsBucket)?;
    if settings.server.viewer {
        for allowed in &presign.allow {
            // the page names the origins of its pictures; a bucket without an address has none, and gets no URL either
            let _ = endpoints.resolve(&allowed.bucket).await;
        }
    }
    Ok(UrlBook::new(
        clock.clone(),
        metrics.clone(),
        allow_list(settings),
        endpoints,
        Credentials::new(provider, clock.clone(), presign.expires, presign.margin),
        Schedule::new(presign.expires, presign.margin),
        Sharing {
            namespace: settings.redis.namespace.clone(),
            confirm: settings.cache.confirm,
            local_bytes: settings.cache.shares().urls,
        },
    ))
}

/// Tells who the credentials are. The service itself has no use for it.
pub fn sts_client(sdk: &SdkConfig) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::new(sdk)
}

fn dynamodb_client(sdk: &SdkConfig, settings: &Settings) -> aws_sdk_dynamodb::Client {
    let Dynamodb { connect_timeout, attempt_timeout, operation_timeout, max_attempts, .. } =
        settings.dynamodb;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(connect_timeout)
        .operation_attempt_timeout(attempt_timeout)
        .operation_timeout(operation_timeout)
        .build();
    let mut config = aws_sdk_dynamodb::config::Builder::from(sdk)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(max_attempts));
    if let Some(endpoint) = &settings.aws.dynamodb_endpoint {
        config = config.endpoint_url(endpoint);
    }
    aws_sdk_dynamodb::Client::from_conf(config.build())
}
