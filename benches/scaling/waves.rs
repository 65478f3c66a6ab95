//! Renewal waves: how many URLs are signed in a second, from a cold start on.
//!
//! Of each class of photos some are followed from signature to signature, with the service's own `Schedule`, and count for
//! the others. Memory and Redis are as large as it takes: what bounds cost is in `tiers`.

use beetroot_api::domain::ObjectRef;
use fastrand::Rng;

use crate::photo::{self, Life};
use crate::zipf::{Zipf, wait};

/// Photos of a class that are followed.
const FOLLOWED: f64 = 200.0;
/// Seconds that are counted together.
pub const BIN: f64 = 20.0;
pub const HOURS: f64 = 5.0;
/// Then the first renewals begin, with jitter: before it the caches fill, seconds.
const FIRST_RENEWALS: f64 = 2900.0;

/// Who agrees on a URL, and how.
#[derive(Clone, Copy)]
pub enum Rule {
    /// All instances, by Redis: signed when it is first wanted.
    Redis { jitter: bool },
    /// Each instance for itself: signed for the photo's window, when this instance first wants it.
    Windows { instances: u32, offset: bool },
}

impl Rule {
    /// When a URL that is signed now must be signed anew.
    fn end(self, life: Life, object: &ObjectRef, now: f64) -> f64 {
        match self {
            Self::Redis { jitter: true } => life.end(object, now, f64::from(life.expires)),
            Self::Redis { jitter: false } => now + life.longest(),
            Self::Windows { offset: true, .. } => life.end_of_window(object, now),
            Self::Windows { offset: false, .. } => ((now / life.longest()).floor() + 1.0) * life.longest(),
        }
    }
}

/// Signatures a second.
pub struct Wave {
    /// By bins.
    pub rates: Vec<f64>,
}

impl Wave {
    pub fn follow(zipf: &Zipf, lookups_per_second: f64, life: Life, rule: Rule, rng: &mut Rng) -> Self {
        let end = HOURS * 3600.0;
        let mut rates = vec![0.0; (end / BIN) as usize];
        for class in zipf.classes() {
            let followed = class.photos.min(FOLLOWED);
            let stands_for = class.photos / followed;
            let signers = if let Rule::Windows { instances, .. } = rule { instances } else { 1 };
            let rate = lookups_per_second * class.share / f64::from(signers);
            for (number, _) in
                (0..followed as u64).flat_map(|number| (0..signers).map(move |signer| (number, signer)))
            {
                let object = photo::object(class.first + number);
                let mut now = wait(rate, rng);
                while now < end {
                    rates[(now / BIN) as usize] += stands_for / BIN;
                    // the rules count whole seconds, and a URL is handed out for one at least
                    now = rule.end(life, &object, now).max(now) + wait(rate, rng);
                }
            }
        }
        Self { rates }
    }

    /// The most in a second while the caches fill.
    pub fn start(&self) -> f64 {
        highest(&self.rates[..(FIRST_RENEWALS / BIN) as usize])
    }

    /// The most in a second once URLs are renewed.
    pub fn peak(&self) -> f64 {
        highest(&self.rates[(FIRST_RENEWALS / BIN) as usize..])
    }

    /// On average, in the last hour.
    pub fn steady(&self) -> f64 {
        let last_hour = &self.rates[self.rates.len() - (3600.0 / BIN) as usize..];
        last_hour.iter().sum::<f64>() / last_hour.len() as f64
    }
}

fn highest(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}

/// Panics when following a photo does not give what the theory of renewals says.
pub fn check(rng: &mut Rng) {
    let life = Life::of(3600);
    let zipf = Zipf::new(20_000, 1.0);
    let wave = Wave::follow(&zipf, 10.0, life, Rule::Redis { jitter: true }, rng);
    let expected: f64 = zipf
        .classes()
        .iter()
        .map(|class| {
            let rate = 10.0 * class.share;
            class.photos * rate / (1.0 + rate * life.mean())
        })
        .sum();
    assert!((wave.steady() / expected - 1.0).abs() < 0.05, "{} for {expected}", wave.steady());
}
