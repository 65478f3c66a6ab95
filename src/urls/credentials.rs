//! Who signs, and until when.
//!
//! The SDK's identity cache refreshes seconds before the end and goes on with expired credentials; a URL must not outlive
//! its signer, so the provider is asked directly, and early enough.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError as ProviderError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::signer::Signer;
use crate::clock::Clock;

/// How often a provider is asked for credentials that live longer, while the present ones still do.
const SECONDS_BETWEEN_EARLY_REFRESHES: i64 = 60;
/// The longest that a provider may take: container and instance metadata answer in milliseconds.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an answer of the provider counts for those who waited for it, in seconds.
const SECONDS_BETWEEN_URGENT_REFRESHES: i64 = 1;

/// Why nothing can be signed now.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The provider failed.
    #[error("no AWS credentials")]
    Unavailable(#[source] Arc<ProviderError>),
    /// The provider gave credentials that have expired.
    #[error("the AWS credentials expired at {0} and the provider has no newer ones")]
    Expired(Timestamp),
}

/// The credentials in use, renewed in time.
#[derive(Debug)]
pub struct Credentials {
    provider: SharedCredentialsProvider,
    clock: Clock,
    /// A URL of full length needs credentials that live so long.
    wanted_seconds: i64,
    /// Below this, callers wait for the provider.
    needed_seconds: i64,
    current: RwLock<Option<Arc<Signer>>>,
    /// When the provider was last asked and how it failed; locked while it is being asked, so that one caller at a time does.
    last: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Attempt {
    at: Timestamp,
    /// `None` as well when the caller went away before the answer came.
    failure: Option<CredentialsError>,
}

impl Credentials {
    /// `wanted` is the life of a URL, `needed` the life that it must still have when it is handed out.
    pub fn new(
        provider: SharedCredentialsProvider,
        clock: Clock,
        wanted: Duration,
        needed: Duration,
    ) -> Self {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self {
            provider,
            clock,
            wanted_seconds: seconds(wanted),
            needed_seconds: seconds(needed),
            current: RwLock::default(),
            last: Mutex::default(),
        }
    }

    /// The signer to use now: alive, and with as much life left as the provider gives.
    pub async fn signer(&self) -> Result<Arc<Signer>, CredentialsError> {
        let now = self.clock.now();
        match self.current().map(|signer| (signer.seconds_left(now), signer)) {
            Some((left, signer)) if left >= self.wanted_seconds => Ok(signer),
            Some((left, signer)) if left > self.needed_seconds => {
                // alive, but its URLs are shorter than asked for: one caller looks for better ones, the others go on
                match self.last.try_lock() {
                    Ok(mut last) if !asked_within(last.as_ref(), now, SECONDS_BETWEEN_EARLY_REFRESHES) => {
                        Ok(self.ask(&mut last).await.unwrap_or(signer))
                    }
                    _ => Ok(signer),
                }
            }
            _ => self.wait_for_signer().await,
        }
    }

    /// None, or about to end: everyone waits for one answer of the provider.
    async fn wait_for_signer(&self) -> Result<Arc<Signer>, CredentialsError> {
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        let alive = |signer: &Arc<Signer>| signer.seconds_left(now) > 0;
        if let Some(renewed) = self.current().filter(|signer| signer.seconds_left(now) > self.needed_seconds)
        {
            return Ok(renewed);
        }
        // who waited for the lock takes what its holder got, short or failed, instead of asking again
        let failure = if asked_within(last.as_ref(), now, SECONDS_BETWEEN_URGENT_REFRESHES) {
            match (self.current().filter(alive), last.as_ref().and_then(|attempt| attempt.failure.clone())) {
                (Some(signer), _) => return Ok(signer),
                (None, failure) => failure,
            }
        } else {
            None
        };
        let failure = match failure {
            Some(failure) => failure,
            None => match self.ask(&mut last).await {
                Ok(signer) => return Ok(signer),
                Err(failure) => failure,
            },
        };
        self.current().filter(alive).ok_or(failure)
    }

    async fn ask(&self, last: &mut Option<Attempt>) -> Result<Arc<Signer>, CredentialsError> {
        let attempt = last.insert(Attempt { at: self.clock.now(), failure: None });
        let answer = tokio::time::timeout(PROVIDER_TIMEOUT, self.provider.provide_credentials())
            .await
            .unwrap_or_else(|_| Err(ProviderError::provider_timed_out(PROVIDER_TIMEOUT)))
            .map_err(|error| CredentialsError::Unavailable(Arc::new(error)))
            .and_then(|credentials| {
                let signer = Signer::new(&credentials);
                match signer.expires_at().filter(|_| signer.seconds_left(self.clock.now()) <= 0) {
                    Some(end) => Err(CredentialsError::Expired(end)),
                    None => Ok(signer),
                }
            });
        match answer {
            Ok(signer) => {
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                // the same credentials again keep their signer and what it has prepared
                match &*current {
                    Some(known) if known.is_same_as(&signer) => Ok(Arc::clone(known)),
                    _ => Ok(Arc::clone(current.insert(Arc::new(signer)))),
                }
            }
            Err(failure) => {
                tracing::warn!(error = &failure as &dyn std::error::Error, "the credentials provider failed");
                attempt.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    fn current(&self) -> Option<Arc<Signer>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn asked_within(last: Option<&Attempt>, now: Timestamp, seconds: i64) -> bool {
    last.is_some_and(|attempt| now.as_second() - attempt.at.as_second() < seconds)
}
