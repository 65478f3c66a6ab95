//! Signed URLs for many objects at once.
//!
//! A URL is signed with the start of its object's window instead of the time of the request: everyone who holds the same
//! credentials and settings then gets the same bytes for the same picture, and a browser that has it asks nobody.

mod credentials;
mod endpoint;
mod signer;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use self::credentials::{Credentials, CredentialsError};
pub use self::endpoint::{BucketEndpoint, EndpointError, Endpoints};
pub use self::signer::{PreparedSigner, Signer};
use crate::clock::Clock;
use crate::domain::{AllowList, ObjectRef, SignedUrl};
use crate::telemetry::metrics::{Metrics, Reason};

/// A URL on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOut {
    /// What the client gets.
    pub url: SignedUrl,
    /// From then on another URL is handed out for the object: whoever keeps an answer must not give it out any more.
    pub until: Timestamp,
}

/// Hands out signed URLs, and counts what it refuses.
#[derive(Debug)]
pub struct UrlBook {
    clock: Clock,
    metrics: Metrics,
    allowed: AllowList,
    endpoints: Endpoints,
    credentials: Credentials,
    window: Window,
}

impl UrlBook {
    /// Puts the parts together; nothing is asked or signed yet.
    pub fn new(
        clock: Clock,
        metrics: Metrics,
        allowed: AllowList,
        endpoints: Endpoints,
        credentials: Credentials,
        window: Window,
    ) -> Self {
        Self { clock, metrics, allowed, endpoints, credentials, window }
    }

    /// The object that a row names; `None`, logged and counted, when it must not be signed.
    pub fn object(&self, bucket: &str, key: &str) -> Option<ObjectRef> {
        self.allowed
            .object(bucket, key)
            .inspect_err(|refusal| {
                self.metrics.urls_refused.get_or_create(&Reason::of(refusal.label())).inc();
                tracing::warn!(bucket, key, reason = refusal.label(), "no URL for an object: {refusal}");
            })
            .ok()
    }

    /// One URL for each object, in their order; `None` stays `None`, and a bucket without an endpoint becomes it.
    pub async fn sign(
        &self,
        objects: &[Option<ObjectRef>],
    ) -> Result<Vec<Option<HandedOut>>, CredentialsError> {
        if objects.iter().all(Option::is_none) {
            return Ok(vec![None; objects.len()]);
        }
        let signer = self.credentials.signer().await?;
        let now = self.clock.now();
        // one or two buckets and days as a rule: a short list finds them faster than a map
        let mut prepared: Vec<(&str, Arc<PreparedSigner>)> = Vec::new();
        let mut urls = Vec::with_capacity(objects.len());
        for object in objects {
            let Some(object) = object else {
                urls.push(None);
                continue;
            };
            let signed_at = self.window.start(object, now);
            let known =
                prepared.iter().find(|(bucket, of)| *bucket == object.bucket() && of.covers(signed_at));
            let of_bucket = match known {
                Some((_, of_bucket)) => Some(Arc::clone(of_bucket)),
                None => self.endpoint(object).await.map(|endpoint| {
                    let of_bucket = signer.prepare(&endpoint, signed_at);
                    prepared.push((object.bucket(), Arc::clone(&of_bucket)));
                    of_bucket
                }),
            };
            let url =
                of_bucket.and_then(|of_bucket| of_bucket.sign(object.key(), signed_at, self.window.expires));
            urls.push(
                url.map(|url| HandedOut { until: self.window.end(signed_at).min(url.expires_at()), url }),
            );
        }
        self.metrics.urls_signed.inc_by(urls.iter().flatten().count() as u64);
        Ok(urls)
    }

    /// Whether there is somebody who signs.
    pub async fn check_credentials(&self) -> Result<(), CredentialsError> {
        self.credentials.signer().await.map(drop)
    }

    async fn endpoint(&self, object: &ObjectRef) -> Option<Arc<BucketEndpoint>> {
        match self.endpoints.resolve(object.bucket()).await {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                self.metrics.urls_refused.get_or_create(&Reason::of("endpoint")).inc();
                tracing::warn!(error = &error as &dyn std::error::Error, "no URL for an object");
                None
            }
        }
    }
}

/// When an object's URL is signed: time is cut into windows, with a different offset for each object so that a grid does not
/// change all at once. Depends on the object and the settings only.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The life of a URL, seconds.
    expires: i64,
    /// How long a URL is handed out, seconds: its life less the margin. At least 1.
    length: i64,
}

impl Window {
    /// `margin` is the life that a URL still has when the next window begins; whole seconds, below `expires`.
    pub fn new(expires: Duration, margin: Duration) -> Self {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let expires = seconds(expires);
        Self { expires, length: (expires - seconds(margin)).max(1) }
    }

    /// When the window that began at `start` ends.
    pub fn end(&self, start: Timestamp) -> Timestamp {
        Timestamp::from_second(start.as_second() + self.length).unwrap_or(start)
    }

    /// The start of the object's present window: the last one at or before `now`.
    pub fn start(&self, object: &ObjectRef, now: Timestamp) -> Timestamp {
        let digest = Sha256::new()
            .chain_update(object.bucket())
            .chain_update("/")
            .chain_update(object.key())
            .finalize();
        let mut first_bytes = [0; 8];
        first_bytes.copy_from_slice(&digest[..8]);
        // the sign bit is dropped, so that the offset is not negative
        let offset = (i64::from_be_bytes(first_bytes) & i64::MAX) % self.length;
        let into_window = (now.as_second() - offset).rem_euclid(self.length);
        Timestamp::from_second(now.as_second() - into_window).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_window_holds_now_and_leaves_the_margin(
            key in "[a-z]{1,20}", now in 0_i64..4_000_000_000, expires in 1_u64..604_800, share in 0.0..1.0_f64,
        ) {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of it")]
            let margin = ((expires as f64) * share) as u64;
            prop_assume!(margin < expires);
            let window = Window::new(Duration::from_secs(expires), Duration::from_secs(margin));
            let object = AllowList::default().object("bucket", &key).unwrap();
            let now = Timestamp::from_second(now).unwrap();
            let start = window.start(&object, now);
            let left = start.as_second() + i64::try_from(expires).unwrap() - now.as_second();
            prop_assert!(start <= now);
            prop_assert!(left > i64::try_from(margin).unwrap());
            prop_assert_eq!(window.start(&object, start), start);
            prop_assert_ne!(window.start(&object, start - Duration::from_secs(1)), start);
        }
    }

    #[test]
    fn windows_of_different_objects_begin_at_different_times() {
        let window = Window::new(Duration::from_hours(1), Duration::from_mins(5));
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let starts: std::collections::HashSet<_> = (0..100)
            .map(|n| window.start(&AllowList::default().object("bucket", &format!("{n}")).unwrap(), now))
            .collect();
        assert!(starts.len() > 90, "{}", starts.len());
    }
}
