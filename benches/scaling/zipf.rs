//! Zipf's law: the photo of rank k is looked up in proportion to k^-s.
//!
//! A drawn rank comes by rejection-inversion (Hörmann and Derflinger, 1996), at the same cost for ten photos and for 100
//! million. Sums over all photos go over classes of photos that are looked up almost equally often.

use fastrand::Rng;

/// So many of the most wanted photos are a class each.
const HEAD: u64 = 1000;
/// Behind them, a class ends where its first rank times this ends.
const CLASS_WIDTH: f64 = 1.01;

/// Photos of neighbouring ranks.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// The rank of the first one.
    pub first: u64,
    /// How many.
    pub photos: f64,
    /// What each of them has of all lookups.
    pub share: f64,
}

pub struct Zipf {
    photos: u64,
    exponent: f64,
    /// The sum of k^-s over all ranks.
    total: f64,
}

impl Zipf {
    pub fn new(photos: u64, exponent: f64) -> Self {
        let mut zipf = Self { photos, exponent, total: 1.0 };
        zipf.total = zipf.classes().iter().map(|class| class.photos * class.share).sum();
        zipf
    }

    /// What the photo of a rank has of all lookups.
    pub fn share(&self, rank: u64) -> f64 {
        self.weight(rank as f64) / self.total
    }

    /// All photos, each once.
    pub fn classes(&self) -> Vec<Class> {
        let mut classes = Vec::new();
        let mut first = 1;
        while first <= self.photos {
            let last = if first <= HEAD { first } else { (first as f64 * CLASS_WIDTH) as u64 };
            let last = last.min(self.photos);
            let photos = (last - first + 1) as f64;
            let weight = if first == last {
                self.weight(first as f64)
            } else {
                self.integral(last as f64 + 0.5) - self.integral(first as f64 - 0.5)
            };
            classes.push(Class { first, photos, share: weight / photos / self.total });
            first = last + 1;
        }
        classes
    }

    /// A rank, as often as the law says.
    pub fn sample(&self, rng: &mut Rng) -> u64 {
        let highest = self.integral(self.photos as f64 + 0.5);
        // rank 1 has the area that it needs, not the larger one under the curve
        let lowest = self.integral(1.5) - 1.0;
        loop {
            let area = highest + rng.f64() * (lowest - highest);
            let rank = self.inverse(area).round().clamp(1.0, self.photos as f64);
            if area >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64;
            }
        }
    }

    fn weight(&self, rank: f64) -> f64 {
        rank.powf(-self.exponent)
    }

    /// The area under x^-s from 1 to `x`.
    fn integral(&self, x: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if power == 0.0 { x.ln() } else { (x.powf(power) - 1.0) / power }
    }

    fn inverse(&self, area: f64) -> f64 {
        let power = 1.0 - self.exponent;
        if power == 0.0 { area.exp() } else { (1.0 + area * power).powf(1.0 / power) }
    }
}

/// Seconds until the next of events that come `rate` times a second by chance.
pub fn wait(rate: f64, rng: &mut Rng) -> f64 {
    -(1.0 - rng.f64()).ln() / rate
}

/// Panics when the sampler or the classes do not follow the law.
pub fn check(rng: &mut Rng) {
    const DRAWS: usize = 1_000_000;
    // few photos, where each is drawn so often that a small bias shows, and many
    for (photos, exponent) in [(10, 0.8), (10, 1.0), (5000, 0.8), (5000, 1.0), (5000, 1.2)] {
        let zipf = Zipf::new(photos, exponent);
        let exact: f64 = (1..=photos).map(|rank| zipf.weight(rank as f64)).sum();
        assert!((zipf.total / exact - 1.0).abs() < 1e-6, "{exponent}: {} for {exact}", zipf.total);
        let mut counts = vec![0.0_f64; photos as usize + 1];
        for _ in 0..DRAWS {
            counts[zipf.sample(rng) as usize] += 1.0;
        }
        let chi_squared: f64 = (1..=photos)
            .map(|rank| {
                let expected = zipf.share(rank) * DRAWS as f64;
                (counts[rank as usize] - expected).powi(2) / expected
            })
            .sum();
        // its mean is the degrees of freedom, its variance twice that
        let freedom = (photos - 1) as f64;
        assert!(
            chi_squared < 6.0_f64.mul_add((2.0 * freedom).sqrt(), freedom),
            "{photos} photos, exponent {exponent}: chi squared {chi_squared}"
        );
    }
}
