//! Signed URLs for many objects at once: the same URL for the same object, on every instance, until it must change.
//!
//! In order: what this process holds, what Redis holds, a new signature. Whoever signs first puts the URL into Redis, and the
//! others adopt it. Without Redis a URL is signed with the start of its object's window instead of the time of the request:
//! everyone with the same credentials then gets the same bytes without talking.

mod check;
mod credentials;
mod endpoint;
mod local;
mod pen;
mod schedule;
mod signer;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use self::check::{Flaw, check};
pub use self::credentials::{Credentials, CredentialsError, PROVIDER_TIMEOUT};
pub use self::endpoint::{BucketEndpoint, EndpointError, Endpoints};
use self::local::{Held, LocalUrls};
use self::pen::Pen;
pub use self::schedule::{HandedOut, Schedule};
pub use self::signer::{PreparedSigner, Signer};
use crate::clock::Clock;
use crate::domain::{AllowList, ObjectRef};
use crate::shared_cache::{Put, PutMode, PutOutcome, Session};
use crate::telemetry::metrics::{Lookup, Metrics, Reason, RefusedValue};

/// How long a URL is handed out when the credentials end too soon to leave it the margin.
const LOOK_FOR_CREDENTIALS_AFTER: Duration = Duration::from_secs(5);

/// How long URLs live, and how they are shared.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// What all keys in Redis begin with.
    pub namespace: String,
    /// How often Redis is asked whether it still holds what this process holds.
    pub confirm: Duration,
    /// What the URLs in process may take, bytes.
    pub local_bytes: usize,
}

/// Hands out signed URLs, and counts what it refuses.
#[derive(Debug)]
pub struct UrlBook {
    clock: Clock,
    metrics: Metrics,
    allowed: AllowList,
    endpoints: Endpoints,
    credentials: Credentials,
    schedule: Schedule,
    sharing: Sharing,
    local: LocalUrls,
}

/// One object of a request on its way to a URL.
struct Wanted<'a> {
    /// Its place among the objects asked for.
    place: usize,
    object: &'a ObjectRef,
    endpoint: Arc<BucketEndpoint>,
    cache_key: String,
    /// What this process holds, when its time is not over.
    held: Option<HandedOut>,
}

impl UrlBook {
    /// Puts the parts together; nothing is asked or signed yet.
    pub fn new(
        clock: Clock,
        metrics: Metrics,
        allowed: AllowList,
        endpoints: Endpoints,
        credentials: Credentials,
        schedule: Schedule,
        sharing: Sharing,
    ) -> Self {
        let local = LocalUrls::new(sharing.local_bytes);
        // from 0, or an alert does not see the first one as an increase
        for reason in Flaw::ALL.map(Flaw::label).into_iter().chain(["expired", "type"]) {
            metrics.cached_values_refused.get_or_create_owned(&RefusedValue { kind: "url", reason });
        }
        Self { clock, metrics, allowed, endpoints, credentials, schedule, sharing, local }
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

    /// One URL for each object, in their order; `None` stays `None`, and a bucket without an endpoint becomes it. At most one
    /// read and one write of Redis, however many objects.
    #[tracing::instrument(level = "debug", name = "urls", skip_all, fields(objects = objects.len()))]
    pub async fn urls(
        &self,
        objects: &[Option<ObjectRef>],
        session: &mut Session,
    ) -> Result<Vec<Option<HandedOut>>, CredentialsError> {
        let now = self.clock.now();
        let mut urls = vec![None; objects.len()];
        let wanted = self.not_settled_here(objects, session.is_on(), now, &mut urls).await;
        if !wanted.is_empty() {
            let mut pen = Pen::new(&self.credentials, &self.metrics);
            let keys: Vec<String> = wanted.iter().map(|wanted| wanted.cache_key.clone()).collect();
            match session.get_many(&keys).await {
                Ok(found) => self.settle_with_redis(wanted, found, session, &mut pen, now, &mut urls).await?,
                Err(_) => {
                    for wanted in wanted {
                        let place = wanted.place;
                        urls[place] = self.without_redis(wanted, None, &mut pen, now).await?;
                    }
                }
            }
        }
        if let Some(shortest) = urls.iter().flatten().map(|handed_out| handed_out.url.expires_at()).min() {
            self.metrics.url_remaining_life.observe(shortest.duration_since(now).as_secs_f64());
        }
        Ok(urls)
    }

    /// The origins of the pictures of all buckets that are known by now: those that were resolved at the start, and those that
    /// rows have named since.
    pub fn origins(&self) -> Vec<String> {
        self.endpoints.origins()
    }

    /// Whether there is somebody who signs.
    pub async fn check_credentials(&self) -> Result<(), CredentialsError> {
        self.credentials.signer().await.map(drop)
    }

    /// How the URLs of a bucket look.
    pub async fn bucket_endpoint(&self, bucket: &str) -> Result<Arc<BucketEndpoint>, EndpointError> {
        self.endpoints.resolve(bucket).await
    }

    /// When the present credentials end, in seconds since 1970: infinity when they have no end, 0 when there are none yet.
    pub fn credentials_end(&self) -> f64 {
        self.credentials.end()
    }

    /// Settles what this process holds and need not confirm; gives the rest.
    async fn not_settled_here<'a>(
        &self,
        objects: &'a [Option<ObjectRef>],
        redis_is_on: bool,
        now: Timestamp,
        urls: &mut [Option<HandedOut>],
    ) -> Vec<Wanted<'a>> {
        let mut hits = 0;
        let mut wanted = Vec::new();
        for (place, object) in objects.iter().enumerate() {
            let Some(object) = object else { continue };
            let Some(endpoint) = self.endpoint(object).await else { continue };
            let cache_key = self.cache_key(&endpoint, object);
            let held = self.local.get(&cache_key, now);
            match held {
                Some(held) if !redis_is_on || self.is_confirmed(&held, now) => {
                    hits += 1;
                    urls[place] = Some(held.handed_out);
                }
                held => {
                    let held = held.map(|held| held.handed_out);
                    wanted.push(Wanted { place, object, endpoint, cache_key, held });
                }
            }
        }
        self.metrics.url_lookups.get_or_create(&Lookup::local(true)).inc_by(hits);
        self.metrics.url_lookups.get_or_create(&Lookup::local(false)).inc_by(wanted.len() as u64);
        wanted
    }

    /// Redis has answered: adopt what it holds, put back what it has lost, sign the rest, and adopt again where another
    /// instance was faster.
    async fn settle_with_redis(
        &self,
        wanted: Vec<Wanted<'_>>,
        found: Vec<Option<Vec<u8>>>,
        session: &mut Session,
        pen: &mut Pen<'_>,
        now: Timestamp,
        urls: &mut [Option<HandedOut>],
    ) -> Result<(), CredentialsError> {
        let mut puts = Vec::new();
        let mut putting = Vec::new();
        for (wanted, found) in wanted.into_iter().zip(found) {
            let place = wanted.place;
            let mode = match found.map(|text| self.checked(&wanted, &text, now)) {
                Some(Some(shared)) => {
                    self.metrics.url_lookups.get_or_create(&Lookup::redis(true)).inc();
                    urls[place] = Some(self.adopt(wanted, shared, now));
                    continue;
                }
                Some(None) => PutMode::Overwrite,
                None => PutMode::IfAbsent,
            };
            self.metrics.url_lookups.get_or_create(&Lookup::redis(false)).inc();
            let own = match &wanted.held {
                Some(held) => Some(held.clone()),
                None => self.sign_now(&wanted, pen, now).await?,
            };
            match own {
                Some(own) => {
                    puts.push(Put {
                        key: wanted.cache_key.clone(),
                        value: own.url.expose().as_bytes().to_vec(),
                        ttl: Duration::from_secs((own.until.as_second() - now.as_second()).unsigned_abs()),
                        mode,
                    });
                    putting.push((wanted, own));
                }
                // the credentials end too soon for a URL that others could use
                None => urls[place] = self.without_redis(wanted, None, pen, now).await?,
            }
        }
        if puts.is_empty() {
            return Ok(());
        }
        let mut outcomes = session.put_many(&puts).await.unwrap_or_default().into_iter();
        for (wanted, own) in putting {
            let place = wanted.place;
            urls[place] = match outcomes.next() {
                Some(outcome @ (PutOutcome::Stored | PutOutcome::Replaced)) => {
                    if outcome == PutOutcome::Replaced {
                        self.count_refused("type");
                    }
                    if wanted.held.is_some() {
                        self.metrics.urls_put_back.inc();
                    }
                    Some(self.keep(wanted, own, Some(now)))
                }
                Some(PutOutcome::Found(text)) => match self.checked(&wanted, &text, now) {
                    Some(shared) => Some(self.adopt(wanted, shared, now)),
                    // put there between our read and our write; the next read finds and overwrites it
                    None => Some(self.keep(wanted, own, None)),
                },
                // Redis does not take it: then what everyone signs alike, asked about again after a while
                Some(PutOutcome::Refused) => self.without_redis(wanted, Some(now), pen, now).await?,
                // nobody knows whether Redis has it now: the next read tells
                None => Some(self.keep(wanted, own, None)),
            };
        }
        Ok(())
    }

    /// What this process holds, or else a URL of the object's window, which is the same for all who hold the same credentials.
    async fn without_redis(
        &self,
        wanted: Wanted<'_>,
        confirmed_at: Option<Timestamp>,
        pen: &mut Pen<'_>,
        now: Timestamp,
    ) -> Result<Option<HandedOut>, CredentialsError> {
        if let Some(held) = wanted.held.clone() {
            return Ok(Some(self.keep(wanted, held, confirmed_at)));
        }
        let signed_at = self.schedule.window_start(wanted.object, now);
        let url = pen.sign(&wanted.endpoint, wanted.object.key(), signed_at, self.schedule.expires()).await?;
        let Some(url) = url else { return Ok(None) };
        Ok(Some(match self.schedule.hand_out(wanted.object, url.clone(), signed_at, now) {
            Some(own) => self.keep(wanted, own, confirmed_at),
            // the credentials cannot give the margin: what they can give, and newer ones are looked for soon
            None => HandedOut { until: (now + LOOK_FOR_CREDENTIALS_AFTER).min(url.expires_at()), url },
        }))
    }

    /// `None` when the credentials leave no more than the margin.
    async fn sign_now(
        &self,
        wanted: &Wanted<'_>,
        pen: &mut Pen<'_>,
        now: Timestamp,
    ) -> Result<Option<HandedOut>, CredentialsError> {
        let url = pen.sign(&wanted.endpoint, wanted.object.key(), now, self.schedule.expires()).await?;
        Ok(url.and_then(|url| self.schedule.hand_out(wanted.object, url, now, now)))
    }

    /// What Redis holds, when it is a URL of the object that may still be handed out; else counted.
    fn checked(&self, wanted: &Wanted<'_>, text: &[u8], now: Timestamp) -> Option<HandedOut> {
        let checked = check(text, &wanted.endpoint, wanted.object.key(), self.schedule.expires(), now);
        let (reason, handed_out) = match checked {
            Ok((url, signed_at)) => ("expired", self.schedule.hand_out(wanted.object, url, signed_at, now)),
            Err(flaw) => (flaw.label(), None),
        };
        if handed_out.is_none() {
            self.count_refused(reason);
        }
        handed_out
    }

    fn count_refused(&self, reason: &'static str) {
        self.metrics.cached_values_refused.get_or_create(&RefusedValue { kind: "url", reason }).inc();
    }

    fn adopt(&self, wanted: Wanted<'_>, shared: HandedOut, now: Timestamp) -> HandedOut {
        if wanted.held.as_ref().is_some_and(|held| held.url != shared.url) {
            self.metrics.urls_adopted.inc();
        }
        self.keep(wanted, shared, Some(now))
    }

    fn keep(&self, wanted: Wanted<'_>, handed_out: HandedOut, confirmed_at: Option<Timestamp>) -> HandedOut {
        self.local.put(wanted.cache_key, Held { handed_out: handed_out.clone(), confirmed_at });
        handed_out
    }

    fn is_confirmed(&self, held: &Held, now: Timestamp) -> bool {
        held.confirmed_at.is_some_and(|at| now.duration_since(at).unsigned_abs() < self.sharing.confirm)
    }

    fn cache_key(&self, endpoint: &BucketEndpoint, object: &ObjectRef) -> String {
        let namespace = &self.sharing.namespace;
        format!("{namespace}:url:{}:{}/{}", endpoint.fingerprint, object.bucket(), object.key())
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
