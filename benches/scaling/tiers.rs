//! Which tier answers a lookup, in the steady state, by formulas: 100 million photos on 1,000 instances are too many to
//! follow one by one.
//!
//! - The memory of an instance holds a photo when it was looked up within the characteristic time of Che's approximation:
//!   the time in which as many different photos are looked up as there is room for. It answers by itself until Redis has
//!   to confirm the URL.
//! - Redis holds a URL from its signature to its end; with too little room, to the moment when as many younger ones have
//!   come as there is room for (`volatile-ttl` drops the oldest first). That a URL comes back from an instance's memory
//!   is left out, so these are too many signatures rather than too few.
//!
//! `check` compares them with caches that are really filled, the local one being the service's `quick_cache`. Che's
//! approximation is that of a cache which drops what was used least recently; `quick_cache` keeps what is used often, and
//! answers some percent more. So the local shares are rather too low.

use std::collections::{HashMap, VecDeque};

use fastrand::Rng;
use quick_cache::sync::Cache;

use crate::zipf::{Class, Zipf, wait};

/// What `quick_cache` answers beyond the formula at most, as a share of all lookups.
const WORTH_OF_THE_REAL_CACHE: f64 = 0.15;

#[derive(Clone, Copy)]
pub struct Fleet {
    pub instances: f64,
    /// Lookups of all instances together.
    pub lookups_per_second: f64,
    /// URLs that an instance has room for.
    pub local_entries: f64,
    /// URLs that Redis has room for; `None` is no Redis.
    pub redis_entries: Option<f64>,
    /// Seconds for which an instance trusts its own memory.
    pub confirm: f64,
    /// Seconds for which a URL is handed out.
    pub life: f64,
}

/// Shares of all lookups, and what is held.
#[derive(Clone, Copy, Debug)]
pub struct Tiers {
    pub local: f64,
    pub redis: f64,
    pub signed: f64,
    /// URLs in Redis.
    pub redis_holds: f64,
}

impl Fleet {
    pub fn tiers(&self, classes: &[Class]) -> Tiers {
        let here = self.lookups_per_second / self.instances;
        let remembered = time_to_fill(classes, here, self.local_entries, |lookups| -(-lookups).exp_m1());
        let sum = |of_photo: &dyn Fn(f64) -> f64| -> f64 {
            classes.iter().map(|class| class.photos * class.share * of_photo(class.share)).sum()
        };
        let forgotten = |share: f64| (-here * share * remembered).exp();
        let Some(room) = self.redis_entries else {
            // one signature for each window in which a photo is wanted, and one for each time that it was forgotten
            let signed = sum(&|share| {
                let in_window = here * share * self.life;
                (-(-in_window).exp_m1() / in_window).max(forgotten(share))
            });
            return Tiers { local: 1.0 - signed, redis: 0.0, signed, redis_holds: 0.0 };
        };
        let asked = sum(&|share| (1.0 / (1.0 + here * share * self.confirm)).max(forgotten(share)));
        let held_share = |lookups: f64| lookups / (1.0 + lookups);
        let held = self.life.min(time_to_fill(classes, self.lookups_per_second, room, held_share));
        let signed = sum(&|share| 1.0 / (1.0 + self.lookups_per_second * share * held));
        let redis_holds = classes
            .iter()
            .map(|class| class.photos * held_share(self.lookups_per_second * class.share * held))
            .sum();
        Tiers { local: 1.0 - asked, redis: (asked - signed).max(0.0), signed, redis_holds }
    }
}

/// Seconds until `entries` photos are held, when a photo is held with a probability that `held` knows from how often it is
/// looked up in that time.
pub fn time_to_fill(classes: &[Class], per_second: f64, entries: f64, held: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (1e-6_f64, 1e9_f64);
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        let count: f64 =
            classes.iter().map(|class| class.photos * held(per_second * class.share * middle)).sum();
        if count < entries {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Panics when the formulas are far from caches that are filled for real.
pub fn check(rng: &mut Rng) {
    let zipf = Zipf::new(20_000, 1.0);
    let fleet = Fleet {
        instances: 4.0,
        lookups_per_second: 400.0,
        local_entries: 0.0,
        redis_entries: Some(0.0),
        confirm: 30.0,
        life: 300.0,
    };
    for (local_entries, redis_entries) in [(300.0, 1e9), (20_000.0, 1e9), (1000.0, 3000.0)] {
        let fleet = Fleet { local_entries, redis_entries: Some(redis_entries), ..fleet };
        compare(&fleet, &zipf, rng);
    }
    for local_entries in [300.0, 20_000.0] {
        compare(&Fleet { local_entries, redis_entries: None, ..fleet }, &zipf, rng);
    }
}

fn compare(fleet: &Fleet, zipf: &Zipf, rng: &mut Rng) {
    let (formula, filled) = (fleet.tiers(&zipf.classes()), fill(fleet, zipf, rng));
    let gain = filled.local - formula.local;
    assert!((-0.02..WORTH_OF_THE_REAL_CACHE).contains(&gain), "formula {formula:?}, filled {filled:?}");
    if fleet.redis_entries.is_some() {
        let off = filled.signed - formula.signed;
        assert!(off.abs() < 0.02, "formula {formula:?}, filled {filled:?}");
    }
}

/// The same by brute force: each lookup, each instance's memory, one Redis.
fn fill(fleet: &Fleet, zipf: &Zipf, rng: &mut Rng) -> Tiers {
    const LOOKUPS: usize = 600_000;
    let instances = fleet.instances as usize;
    // when the URL ends, and when Redis last confirmed it
    let memories: Vec<Cache<u64, (f64, f64)>> =
        (0..instances).map(|_| Cache::new(fleet.local_entries as usize)).collect();
    let mut redis: HashMap<u64, f64> = HashMap::new();
    let mut oldest_first: VecDeque<(u64, f64)> = VecDeque::new();
    let (mut now, mut local, mut shared, mut signed) = (0.0, 0.0, 0.0, 0.0);
    for lookup in 0..LOOKUPS {
        now += wait(fleet.lookups_per_second, rng);
        let photo = zipf.sample(rng);
        let memory = &memories[rng.usize(..instances)];
        let held = memory.get(&photo).filter(|(until, _)| *until > now);
        while let Some((old, until)) = oldest_first.front().copied() {
            let full = fleet.redis_entries.is_some_and(|room| oldest_first.len() as f64 > room);
            if until > now && !full {
                break;
            }
            oldest_first.pop_front();
            redis.remove(&old);
        }
        // the first half fills the caches
        let one = f64::from(u8::from(lookup >= LOOKUPS / 2));
        let confirmed = |at: f64| fleet.redis_entries.is_none() || now - at < fleet.confirm;
        let until = if held.is_some_and(|(_, at)| confirmed(at)) {
            local += one;
            continue;
        } else if let Some(until) = redis.get(&photo) {
            shared += one;
            *until
        } else {
            signed += one;
            let until = if fleet.redis_entries.is_some() {
                now + fleet.life
            } else {
                // the end of a window of the photo's own
                let offset = (photo as f64 * 0.618).fract() * fleet.life;
                (((now - offset) / fleet.life).floor() + 1.0) * fleet.life + offset
            };
            if fleet.redis_entries.is_some() {
                redis.insert(photo, until);
                oldest_first.push_back((photo, until));
            }
            until
        };
        memory.insert(photo, (until, now));
    }
    let all = local + shared + signed;
    Tiers { local: local / all, redis: shared / all, signed: signed / all, redis_holds: redis.len() as f64 }
}
