//! Where a bucket is, as `aws-sdk-s3` sees it: partition, region, dual stack, FIPS, custom endpoint, dotted names.
//!
//! The SDK's own rules decide. Once per bucket it presigns a sample with credentials that open nothing; scheme, host, path
//! prefix and region are read from that URL, and our signer must then produce the same bytes before the bucket is used.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_types::SdkConfig;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::signer::{Signer, encode};
use crate::endpoint_url;

/// Counts up when a new version writes URLs in another form.
const FORM_VERSION: u32 = 1;
/// Buckets kept resolved: rows name them, so there could be any number of them.
const MOST_BUCKETS: usize = 1024;
/// The key, the second and the lifetime of the sample that the SDK presigns.
const SAMPLE: (&str, u32, u32) = ("sample", 1_700_000_000, 60);

/// How the URLs of one bucket look in front of and behind the key.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct BucketEndpoint {
    /// `https://bucket.s3.eu-central-1.amazonaws.com`
    pub origin: String,
    /// What a browser sends as `Host`: without the scheme's own port.
    pub host: String,
    /// `/`, or `/bucket/` in path style.
    pub path_prefix: String,
    /// The region of the signature.
    pub region: String,
    /// `&response-cache-control=…`, encoded, or empty: what S3 is told to answer with.
    pub overrides: String,
    /// Changes with whatever changes the form of a URL, its life included, and not with who signs it: part of the key under which
    /// instances share URLs.
    pub fingerprint: String,
}

/// Why a bucket's URLs cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The SDK has no endpoint for this region, bucket and these settings.
    #[error("aws-sdk-s3 finds no endpoint for the bucket {bucket}")]
    Unresolved {
        /// The bucket's name.
        bucket: String,
        /// What the SDK says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The SDK signs this bucket in a way that this service does not.
    #[error("the bucket {0} needs a form of URL that this service does not sign")]
    UnknownForm(String),
}

/// Resolves buckets and remembers them.
#[derive(Debug)]
pub struct Endpoints {
    client: Client,
    response_cache_control: Option<String>,
    expires: Duration,
    known: RwLock<HashMap<String, Arc<BucketEndpoint>>>,
}

impl Endpoints {
    /// Takes region and endpoints from the SDK's configuration; `endpoint` replaces its S3 endpoint. The URLs are to live for
    /// `expires`: `PRESIGN_EXPIRES`.
    pub fn new(
        sdk: &SdkConfig,
        endpoint: Option<&str>,
        response_cache_control: Option<String>,
        expires: Duration,
    ) -> Self {
        let mut config = Builder::from(sdk).credentials_provider(credentials_that_open_nothing());
        if let Some(endpoint) = endpoint {
            // without the slash the SDK glues the bucket to the last segment of the endpoint's path
            config = config.endpoint_url(format!("{}/", endpoint.trim_end_matches('/')));
        }
        if endpoint.is_some() || endpoint_url::configured(sdk, "S3").is_some() {
            config = config.force_path_style(true);
        }
        let client = Client::from_conf(config.build());
        Self { client, response_cache_control, expires, known: RwLock::default() }
    }

    /// The endpoint of a bucket; asks nobody: the SDK's rules are a table within it.
    pub async fn resolve(&self, bucket: &str) -> Result<Arc<BucketEndpoint>, EndpointError> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(bucket) {
            return Ok(Arc::clone(known));
        }
        let endpoint = self.ask_sdk(bucket).await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_BUCKETS {
            known.clear();
        }
        known.insert(bucket.to_owned(), Arc::clone(&endpoint));
        Ok(endpoint)
    }

    /// Where browsers find the buckets that are known by now, sorted, each once.
    pub fn origins(&self) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let origins: BTreeSet<String> = known.values().map(|endpoint| endpoint.browser_origin()).collect();
        origins.into_iter().collect()
    }

    async fn ask_sdk(&self, bucket: &str) -> Result<Arc<BucketEndpoint>, EndpointError> {
        let (key, second, lifetime) = SAMPLE;
        let unresolved = |source| EndpointError::Unresolved { bucket: bucket.to_owned(), source };
        let times = PresigningConfig::builder()
            .start_time(UNIX_EPOCH + Duration::from_secs(second.into()))
            .expires_in(Duration::from_secs(lifetime.into()))
            .build()
            .map_err(|error| unresolved(error.into()))?;
        let sample = self
            .client
            .get_object()
            .bucket(bucket)
            .key(key)
            .set_response_cache_control(self.response_cache_control.clone())
            .presigned(times)
            .await
            .map_err(|error| unresolved(error.into()))?;

        let overrides = self.response_cache_control.as_deref();
        let endpoint = BucketEndpoint::read(sample.uri(), overrides, self.expires).map(Arc::new);
        let signed_at = Timestamp::UNIX_EPOCH + Duration::from_secs(second.into());
        endpoint
            .filter(|endpoint| {
                let signer = Signer::new(&credentials_that_open_nothing()).prepare(endpoint, signed_at);
                let ours = signer.sign(key, signed_at, lifetime.into());
                ours.is_some_and(|ours| ours.expose() == sample.uri())
            })
            .ok_or_else(|| EndpointError::UnknownForm(bucket.to_owned()))
    }
}

impl BucketEndpoint {
    /// The origin as browsers write it: lower case, without the scheme's own port.
    fn browser_origin(&self) -> String {
        let scheme = self.origin.split_once("://").map_or("https", |(scheme, _)| scheme);
        format!("{scheme}://{}", self.host).to_ascii_lowercase()
    }

    /// Takes the sample's URL apart.
    fn read(sample: &str, response_cache_control: Option<&str>, expires: Duration) -> Option<Self> {
        let (address, query) = sample.split_once('?')?;
        let (scheme, rest) = address.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let scope = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        let origin = format!("{scheme}://{authority}");
        let host = authority.strip_suffix(default_port).unwrap_or(authority).to_owned();
        let path_prefix = path.strip_suffix(SAMPLE.0)?.to_owned();
        let region = scope.split("%2F").nth(2)?.to_owned();
        let overrides = response_cache_control
            .map_or_else(String::new, |value| format!("&response-cache-control={}", encode(value)));
        let expires = expires.as_secs();
        let form = format!("{FORM_VERSION}\n{expires}\n{origin}\n{path_prefix}\n{region}\n{overrides}");
        let fingerprint = hex::encode(&Sha256::digest(form)[..8]);
        Some(Self { origin, host, path_prefix, region, overrides, fingerprint })
    }
}

fn credentials_that_open_nothing() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "sample", Some("sample/token".to_owned()), None, "sample")
}
