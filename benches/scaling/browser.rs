//! What a browser's cache saves: a visitor sees a picture and comes back; the browser has it when its URL is still the same.
//!
//! Visits come by chance; in between everybody else's lookups renew the URL, the more often wanted the photo the sooner.

use beetroot_api::domain::ObjectRef;
use fastrand::Rng;

use crate::photo::{self, Life};
use crate::zipf::{Zipf, wait};

const VISITORS: u32 = 20_000;
/// Of the time after which visitors come back, seconds: the median, and the standard deviation of its logarithm.
const MEDIAN_GAP: f64 = 600.0;
const SPREAD: f64 = 1.5;
/// How long before the end of a role's credentials its provider has new ones, seconds.
const RENEWED_BEFORE: f64 = 600.0;

/// What visitors find.
#[derive(Clone, Copy)]
pub struct Reuse {
    /// The share of pictures that the browser had.
    pub share: f64,
    /// How long a URL was handed out in all, seconds, as seen by the average visitor.
    pub life: f64,
}

/// `role` is how long credentials live, seconds; `None` never ends.
pub fn reuse(zipf: &Zipf, lookups_per_second: f64, life: Life, role: Option<f64>, rng: &mut Rng) -> Reuse {
    let (mut reused, mut lives) = (0_u32, 0.0);
    // long enough ago that nothing remembers the start
    let horizon = 10.0 * f64::from(life.expires);
    for _ in 0..VISITORS {
        let rank = zipf.sample(rng);
        let object = photo::object(rank);
        let rate = lookups_per_second * zipf.share(rank);
        let visit = horizon * (1.0 + rng.f64());
        let mut now = wait(rate, rng);
        let mut signed = (visit, None);
        while now < visit {
            let until = sign(&object, now, life, role, rng);
            if until > visit {
                signed = (now, Some(until));
                break;
            }
            now = until.max(now) + wait(rate, rng);
        }
        // nobody holds one: this visit signs it
        let (at, until) = (signed.0, signed.1.unwrap_or_else(|| sign(&object, visit, life, role, rng)));
        let gap = MEDIAN_GAP * (SPREAD * normal(rng)).exp();
        reused += u32::from(visit + gap < until);
        lives += until - at;
    }
    Reuse { share: f64::from(reused) / f64::from(VISITORS), life: lives / f64::from(VISITORS) }
}

/// By an instance whose credentials end at any time from soon to as late as they can.
fn sign(object: &ObjectRef, now: f64, life: Life, role: Option<f64>, rng: &mut Rng) -> f64 {
    let left = role.map_or(f64::INFINITY, |role| RENEWED_BEFORE + rng.f64() * (role - RENEWED_BEFORE));
    life.end(object, now, left.min(f64::from(life.expires)))
}

/// Box and Muller's.
fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

/// Panics when a photo that everybody looks at all the time, or one that nobody else looks at, is not reused as the
/// distribution of the gap alone says.
pub fn check(rng: &mut Rng) {
    let life = Life::of(3600);
    let one_photo = Zipf::new(1, 1.0);
    let gaps: Vec<f64> = (0..100_000).map(|_| MEDIAN_GAP * (SPREAD * normal(rng)).exp()).collect();
    let mean =
        |value: &dyn Fn(f64) -> f64| gaps.iter().map(|gap| value(*gap)).sum::<f64>() / gaps.len() as f64;
    // the one photo has a jitter of its own
    let whole = life.end(&photo::object(1), 0.0, 3600.0);
    for (rate, expected) in [
        (1e3, mean(&|gap| (1.0 - gap / whole).max(0.0))),
        (1e-9, mean(&|gap| if gap < whole { 1.0 } else { 0.0 })),
    ] {
        let found = reuse(&one_photo, rate, life, None, rng).share;
        assert!((found - expected).abs() < 0.02, "{rate}: {found} for {expected}");
    }
}
