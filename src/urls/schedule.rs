//! When an object's URL is signed, and until when it is handed out.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::{ObjectRef, SignedUrl};

/// The jitter is counted in thousandths of the time in which a URL is handed out.
const THOUSAND: i64 = 1000;
/// The most of it: 10 %.
const MOST_JITTER: i64 = 100;

/// The life of URLs and how much of it they must have left. Depends on the settings only, and what it says of an object on the
/// object as well, so that all instances agree without talking.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The life of a URL, seconds.
    expires: i64,
    /// The life that it has left at least when it is handed out, seconds. Below `expires`.
    margin: i64,
}

/// A URL on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOut {
    /// What the client gets.
    pub url: SignedUrl,
    /// From then on another URL is handed out for the object: whoever keeps an answer must not give it out any more.
    pub until: Timestamp,
}

impl Schedule {
    /// Whole seconds, the margin below the life.
    pub fn new(expires: Duration, margin: Duration) -> Self {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self { expires: seconds(expires), margin: seconds(margin) }
    }

    /// The life of a URL, seconds.
    pub fn expires(&self) -> i64 {
        self.expires
    }

    /// The start of the object's present window: the last one at or before `now`. A URL signed with it is the same for everyone
    /// with the same credentials, as long as the window lasts.
    pub fn window_start(&self, object: &ObjectRef, now: Timestamp) -> Timestamp {
        let dice = Dice::of(object);
        let length = self.hand_out_seconds(self.expires, dice);
        let into_window = (now.as_second() - dice.offset(length)).rem_euclid(length);
        Timestamp::from_second(now.as_second() - into_window).unwrap_or(now)
    }

    /// Until when a URL of the object is handed out: its life less the margin, less up to a tenth of that, so that a grid does
    /// not change all at once. `None` when this moment has passed.
    pub fn hand_out(
        &self,
        object: &ObjectRef,
        url: SignedUrl,
        signed_at: Timestamp,
        now: Timestamp,
    ) -> Option<HandedOut> {
        let lifetime = url.expires_at().as_second() - signed_at.as_second();
        let seconds = self.hand_out_seconds(lifetime, Dice::of(object));
        let until = Timestamp::from_second(signed_at.as_second() + seconds).ok()?.min(url.expires_at());
        (lifetime > self.margin && until > now).then_some(HandedOut { url, until })
    }

    /// At least 1, so that time moves on.
    fn hand_out_seconds(&self, lifetime: i64, dice: Dice) -> i64 {
        ((lifetime - self.margin) * (THOUSAND - dice.jitter()) / THOUSAND).max(1)
    }
}

/// What chance has given an object once and for all.
#[derive(Clone, Copy)]
struct Dice(u64);

impl Dice {
    fn of(object: &ObjectRef) -> Self {
        let digest = Sha256::new()
            .chain_update(object.bucket())
            .chain_update("/")
            .chain_update(object.key())
            .finalize();
        let mut first_bytes = [0; 8];
        first_bytes.copy_from_slice(&digest[..8]);
        // without the sign bit, so that it is not negative as a signed number
        Self(u64::from_be_bytes(first_bytes) >> 1)
    }

    fn jitter(self) -> i64 {
        self.below(MOST_JITTER + 1)
    }

    fn offset(self, length: i64) -> i64 {
        // other digits than the jitter's, so that equal jitter does not mean neighbouring offsets
        Self(self.0 / MOST_JITTER.unsigned_abs()).below(length)
    }

    fn below(self, limit: i64) -> i64 {
        self.0.cast_signed() % limit
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::AllowList;

    fn object(key: &str) -> ObjectRef {
        AllowList::default().object("bucket", key).unwrap()
    }

    fn url(signed_at: Timestamp, lifetime: i64) -> SignedUrl {
        SignedUrl::new(
            "https://bucket.example/key?X-Amz-Signature=1",
            signed_at + Duration::from_secs(lifetime.unsigned_abs()),
        )
    }

    proptest! {
        #[test]
        fn a_url_of_the_present_window_is_handed_out_until_the_window_ends_with_the_margin_left(
            key in "[a-z]{1,20}", now in 0_i64..4_000_000_000, expires in 2_i64..604_800, share in 0_i64..1000,
        ) {
            let margin = expires * share / 1001;
            let schedule = Schedule::new(Duration::from_secs(expires.unsigned_abs()), Duration::from_secs(margin.unsigned_abs()));
            let object = object(&key);
            let now = Timestamp::from_second(now).unwrap();
            let start = schedule.window_start(&object, now);
            prop_assert!(start <= now);
            let handed_out = schedule.hand_out(&object, url(start, expires), start, now).unwrap();
            let left = start.as_second() + expires - now.as_second();
            prop_assert!(left > margin, "{left}");
            // the same until the last second, another from then on
            prop_assert_eq!(schedule.window_start(&object, handed_out.until - Duration::from_secs(1)), start);
            prop_assert_eq!(schedule.window_start(&object, handed_out.until), handed_out.until);
            prop_assert!(schedule.hand_out(&object, url(start, expires), start, handed_out.until).is_none());
        }

        #[test]
        fn a_url_is_handed_out_for_its_life_less_the_margin_less_at_most_a_tenth(key in "[a-z]{1,20}", lifetime in 1_i64..3600) {
            let schedule = Schedule::new(Duration::from_secs(3600), Duration::from_secs(300));
            let now = Timestamp::from_second(1_790_000_000).unwrap();
            let handed_out = schedule.hand_out(&object(&key), url(now, lifetime), now, now);
            if lifetime <= 300 {
                prop_assert!(handed_out.is_none());
            } else {
                let seconds = handed_out.unwrap().until.as_second() - now.as_second();
                prop_assert!(seconds <= (lifetime - 300).max(1));
                prop_assert!(seconds >= (lifetime - 300) * 9 / 10);
            }
        }
    }

    #[test]
    fn objects_differ_in_their_jitter_and_their_offset() {
        let schedule = Schedule::new(Duration::from_secs(3600), Duration::from_secs(300));
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let objects: Vec<_> = (0..1000).map(|number| object(&number.to_string())).collect();
        let starts: HashSet<_> = objects.iter().map(|object| schedule.window_start(object, now)).collect();
        let jitters: HashSet<_> = objects.iter().map(|object| Dice::of(object).jitter()).collect();
        assert!(starts.len() > 700, "{}", starts.len());
        assert_eq!(jitters.len(), 101);
    }
}
