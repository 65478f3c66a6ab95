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

/// While the present credentials live, the provider is asked for longer ones when a quarter has passed of what they had left
/// when it was last asked. A provider that makes a new session each time costs few calls, and still each URL has three
/// quarters of the life it could have; one that gives the same until minutes before the end is asked more often towards it.
const PARTS_OF_WHAT_IS_LEFT: i64 = 4;
/// But no more often than this.
const SECONDS_BETWEEN_EARLY_REFRESHES: i64 = 60;
/// The longest that a provider may take: container and instance metadata answer in milliseconds.
pub const PROVIDER_TIMEOUT: Duration = Duration::from_secs(3);

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
                    Ok(mut last) if is_time_to_ask(last.as_ref(), &signer, now) => {
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

    /// When the present ones end, in seconds since 1970: infinity without an end, 0 without any.
    pub(super) fn end(&self) -> f64 {
        let end = |signer: Arc<Signer>| {
            signer.expires_at().map_or(f64::INFINITY, |end| end.as_duration().as_secs_f64())
        };
        self.current().map_or(0.0, end)
    }

    fn current(&self) -> Option<Arc<Signer>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether enough of the present credentials' life has passed since the provider was last asked.
fn is_time_to_ask(last: Option<&Attempt>, present: &Signer, now: Timestamp) -> bool {
    // one that failed has given nothing that would last
    let last_answer = last.filter(|last| last.failure.is_none());
    let share = last_answer.map_or(0, |last| present.seconds_left(last.at) / PARTS_OF_WHAT_IS_LEFT);
    !asked_within(last, now, share.max(SECONDS_BETWEEN_EARLY_REFRESHES))
}

fn asked_within(last: Option<&Attempt>, now: Timestamp, seconds: i64) -> bool {
    last.is_some_and(|attempt| now.as_second() - attempt.at.as_second() < seconds)
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Mutex as StdMutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Context;
    use std::time::SystemTime;

    use aws_credential_types::provider::future;

    use super::*;

    /// Gives what it is told to, and counts how often it was asked.
    #[derive(Clone, Debug, Default)]
    struct Provider(Arc<Told>);

    #[derive(Debug, Default)]
    struct Told {
        asked: AtomicU32,
        /// Name and end of the next answer; `None` fails.
        next: StdMutex<Option<(String, Option<Timestamp>)>>,
    }

    impl Provider {
        fn give(&self, name: &str, end: Option<Timestamp>) {
            *self.0.next.lock().unwrap() = Some((name.to_owned(), end));
        }

        fn fail(&self) {
            *self.0.next.lock().unwrap() = None;
        }

        fn asked(&self) -> u32 {
            self.0.asked.load(Ordering::SeqCst)
        }
    }

    impl ProvideCredentials for Provider {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let told = Arc::clone(&self.0);
            future::ProvideCredentials::new(async move {
                told.asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let next = told.next.lock().unwrap().clone();
                let (name, end) = next.ok_or_else(|| ProviderError::not_loaded("told to fail"))?;
                Ok(aws_credential_types::Credentials::new(
                    name,
                    "secret",
                    None,
                    end.map(SystemTime::from),
                    "test",
                ))
            })
        }
    }

    /// URLs of an hour that have five minutes left when they are handed out.
    fn credentials() -> (Credentials, Provider, Clock) {
        let provider = Provider::default();
        let clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
        let shared = SharedCredentialsProvider::new(provider.clone());
        let credentials =
            Credentials::new(shared, clock.clone(), Duration::from_secs(3600), Duration::from_secs(300));
        (credentials, provider, clock)
    }

    fn name(signer: &Signer) -> String {
        format!("{signer:?}").split(['(', ',']).nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn credentials_that_live_long_enough_are_asked_for_once() {
        let (credentials, provider, clock) = credentials();
        provider.give("first", Some(clock.now() + Duration::from_secs(7200)));
        for _ in 0..100 {
            assert_eq!(name(&credentials.signer().await.unwrap()), "first");
            clock.advance(Duration::from_secs(36));
        }
        assert_eq!(provider.asked(), 1);
    }

    /// The least life that a signer had when there was a request each second for so many hours, and how often the provider was
    /// asked. `session` tells which session, by its end, the provider has at a moment.
    async fn requests_each_second(
        hours: u64,
        url_life: Duration,
        session: impl Fn(Timestamp) -> Timestamp,
    ) -> (i64, u32) {
        let (_, provider, clock) = credentials();
        let shared = SharedCredentialsProvider::new(provider.clone());
        let credentials = Credentials::new(shared, clock.clone(), url_life, Duration::from_secs(300));
        let mut least = i64::MAX;
        for _ in 0..hours * 3600 {
            let end = session(clock.now());
            provider.give(&end.to_string(), Some(end));
            least = least.min(credentials.signer().await.unwrap().seconds_left(clock.now()));
            clock.advance(Duration::from_secs(1));
        }
        (least, provider.asked())
    }

    #[tokio::test]
    async fn sessions_no_longer_than_a_url_are_made_four_times_in_their_life() {
        for url_life in [Duration::from_hours(1), Duration::from_hours(12)] {
            let (least, asked) =
                requests_each_second(24, url_life, |now| now + Duration::from_hours(1)).await;
            assert_eq!((least, asked), (45 * 60 + 1, 24 * 4), "URLs of {url_life:?}");
        }
    }

    #[tokio::test]
    async fn sessions_a_little_longer_than_a_url_are_made_no_more_often() {
        let (least, asked) =
            requests_each_second(24, Duration::from_hours(1), |now| now + Duration::from_mins(61)).await;
        assert!(asked <= 24 * 4, "{asked}");
        assert!(least > 45 * 60, "{least}");
    }

    #[tokio::test]
    async fn a_provider_that_renews_ten_minutes_before_the_end_is_asked_more_often_towards_it() {
        // the metadata services: the same session for everyone who asks, six hours long
        const SESSION: i64 = 6 * 3600;
        let first = 1_790_000_000;
        let session = |now: Timestamp| {
            let renewed = (now.as_second() - first + 600).div_euclid(SESSION);
            Timestamp::from_second(first + (renewed + 1) * SESSION).unwrap()
        };
        for (url_life, most_per_session) in [(Duration::from_hours(1), 9), (Duration::from_hours(12), 14)] {
            let (least, asked) = requests_each_second(24, url_life, session).await;
            assert!(asked <= 4 * most_per_session, "{asked} calls for URLs of {url_life:?}");
            assert!(least > 300, "{least} s left: a request had to wait");
        }
    }

    #[tokio::test]
    async fn below_the_life_of_a_url_the_same_credentials_keep_their_signer() {
        let (credentials, provider, clock) = credentials();
        let end = clock.now() + Duration::from_secs(3000);
        provider.give("first", Some(end));
        let first = credentials.signer().await.unwrap();
        clock.advance(Duration::from_secs(750));
        let same = credentials.signer().await.unwrap();
        assert_eq!(provider.asked(), 2);
        assert!(Arc::ptr_eq(&first, &same));
        provider.give("second", Some(end + Duration::from_secs(7200)));
        clock.advance(Duration::from_secs(563));
        assert_eq!(name(&credentials.signer().await.unwrap()), "second");
    }

    #[tokio::test]
    async fn below_the_life_of_a_url_a_provider_that_fails_is_asked_again_after_a_minute() {
        let (credentials, provider, clock) = credentials();
        let end = clock.now() + Duration::from_secs(3000);
        provider.give("first", Some(end));
        credentials.signer().await.unwrap();
        provider.fail();
        clock.advance(Duration::from_secs(750));
        assert_eq!(name(&credentials.signer().await.unwrap()), "first");
        provider.give("second", Some(end + Duration::from_secs(7200)));
        clock.advance(Duration::from_secs(59));
        assert_eq!(name(&credentials.signer().await.unwrap()), "first");
        clock.advance(Duration::from_secs(1));
        assert_eq!(name(&credentials.signer().await.unwrap()), "second");
    }

    #[tokio::test]
    async fn within_the_margin_a_request_waits_for_newer_ones() {
        let (credentials, provider, clock) = credentials();
        provider.give("first", Some(clock.now() + Duration::from_secs(301)));
        assert_eq!(name(&credentials.signer().await.unwrap()), "first");
        provider.give("second", Some(clock.now() + Duration::from_secs(7200)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(name(&credentials.signer().await.unwrap()), "second");
    }

    #[tokio::test]
    async fn a_provider_that_fails_leaves_the_present_ones_to_their_end() {
        let (credentials, provider, clock) = credentials();
        provider.give("first", Some(clock.now() + Duration::from_secs(100)));
        credentials.signer().await.unwrap();
        provider.fail();
        clock.advance(Duration::from_secs(99));
        assert_eq!(name(&credentials.signer().await.unwrap()), "first");
        clock.advance(Duration::from_secs(1));
        assert!(matches!(credentials.signer().await, Err(CredentialsError::Unavailable(_))));
        // and is not asked by every request
        let asked = provider.asked();
        for _ in 0..10 {
            assert!(credentials.signer().await.is_err());
        }
        assert_eq!(provider.asked(), asked);
        provider.give("second", None);
        clock.advance(Duration::from_secs(1));
        assert_eq!(name(&credentials.signer().await.unwrap()), "second");
    }

    #[tokio::test]
    async fn credentials_that_have_expired_are_none() {
        let (credentials, provider, clock) = credentials();
        provider.give("old", Some(clock.now()));
        assert!(
            matches!(credentials.signer().await, Err(CredentialsError::Expired(end)) if end == clock.now())
        );
    }

    #[tokio::test]
    async fn many_requests_at_once_ask_once() {
        let (credentials, provider, clock) = credentials();
        provider.give("first", Some(clock.now() + Duration::from_secs(7200)));
        let answers = futures_util::future::join_all((0..100).map(|_| credentials.signer())).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(provider.asked(), 1);
    }

    fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[tokio::test]
    async fn a_request_that_goes_away_while_it_asks_strands_nobody() {
        let (credentials, provider, clock) = credentials();
        provider.give("first", Some(clock.now() + Duration::from_secs(7200)));
        let mut leaving = Box::pin(credentials.signer());
        assert!(poll_once(&mut leaving).is_pending());
        drop(leaving);
        assert_eq!(name(&credentials.signer().await.unwrap()), "first");
        assert_eq!(provider.asked(), 2);
    }
}
