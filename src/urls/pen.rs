//! Signs for one request: asks for credentials when the first URL needs them, and prepares once per bucket and day.

use std::sync::Arc;

use jiff::Timestamp;

use super::credentials::{Credentials, CredentialsError};
use super::endpoint::BucketEndpoint;
use super::signer::{PreparedSigner, Signer};
use crate::domain::SignedUrl;
use crate::telemetry::metrics::Metrics;

/// What one request signs with.
pub(super) struct Pen<'a> {
    credentials: &'a Credentials,
    metrics: &'a Metrics,
    signer: Option<Arc<Signer>>,
    /// One or two buckets and days as a rule: a short list finds them faster than a map.
    prepared: Vec<(Arc<BucketEndpoint>, Arc<PreparedSigner>)>,
}

impl<'a> Pen<'a> {
    pub(super) fn new(credentials: &'a Credentials, metrics: &'a Metrics) -> Self {
        Self { credentials, metrics, signer: None, prepared: Vec::new() }
    }

    /// As [`PreparedSigner::sign`], with the credentials of now.
    pub(super) async fn sign(
        &mut self,
        endpoint: &Arc<BucketEndpoint>,
        key: &str,
        signed_at: Timestamp,
        lifetime_seconds: i64,
    ) -> Result<Option<SignedUrl>, CredentialsError> {
        let known = self
            .prepared
            .iter()
            .find(|(of, prepared)| Arc::ptr_eq(of, endpoint) && prepared.covers(signed_at));
        let url = if let Some((_, prepared)) = known {
            prepared.sign(key, signed_at, lifetime_seconds)
        } else {
            let prepared = self.signer().await?.prepare(endpoint, signed_at);
            let url = prepared.sign(key, signed_at, lifetime_seconds);
            self.prepared.push((Arc::clone(endpoint), prepared));
            url
        };
        self.metrics.urls_signed.inc_by(u64::from(url.is_some()));
        Ok(url)
    }

    async fn signer(&mut self) -> Result<&Arc<Signer>, CredentialsError> {
        Ok(match &mut self.signer {
            Some(signer) => signer,
            none => {
                let signer = self.credentials.signer().await;
                self.metrics.signing_failures.inc_by(u64::from(signer.is_err()));
                none.insert(signer?)
            }
        })
    }
}
