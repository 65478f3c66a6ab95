//! Which plots there are.

use crate::plot::{Axis, Line, Plot};
use crate::redis_costs::Cost;
use crate::tiers::Tiers;
use crate::waves::{BIN, HOURS, Wave};
use crate::zipf::Zipf;
use crate::{GB, PHOTOS, RULES, fleet, local_bytes};

/// Signatures a second over the hours, of each of the rules.
pub fn of_waves(title: &'static str, waves: Vec<Wave>) -> Plot {
    let highest = waves.iter().map(Wave::start).fold(0.0, f64::max);
    let most = highest.log10().ceil() as i32;
    let minutes = HOURS as u32 * 60;
    Plot {
        title,
        x: Axis {
            title: "minutes since the start",
            ticks: (0..=minutes).step_by(30).map(|minute| (f64::from(minute), minute.to_string())).collect(),
            logarithmic: false,
        },
        y: Axis {
            title: "signatures a second",
            ticks: (most - 4..=most)
                .map(|power| (10_f64.powi(power), format!("{}", 10_f64.powi(power))))
                .collect(),
            logarithmic: true,
        },
        lines: waves
            .into_iter()
            .zip(RULES)
            .map(|(wave, (name, _))| {
                let rates = wave.rates.into_iter().enumerate();
                Line { name, points: rates.map(|(bin, rate)| (bin as f64 * BIN / 60.0, rate)).collect() }
            })
            .collect(),
    }
}

/// Who answers, by how much is asked.
pub fn of_tiers(url: &Cost) -> Plot {
    let line = |name, exponent, instances: f64, of: &dyn Fn(Tiers) -> f64| {
        let classes = Zipf::new(PHOTOS, exponent).classes();
        let views = (0..=40).map(|step| 10_f64.powf(1.0 + f64::from(step) / 10.0));
        let share = |views: f64| {
            of(fleet(url, views, instances, local_bytes(), Some(1000.0 * GB)).tiers(&classes)) * 100.0
        };
        Line { name, points: views.map(|views| (views, share(views))).collect() }
    };
    Plot {
        title: "Lookups that an instance answers itself, and those that must be signed (Redis large enough)",
        x: Axis {
            title: "page views a second, all instances together",
            ticks: [10, 100, 1000, 10_000, 100_000]
                .map(|views| (f64::from(views), views.to_string()))
                .to_vec(),
            logarithmic: true,
        },
        y: Axis {
            title: "% of all lookups",
            ticks: (0..=5).map(|fifth| (f64::from(fifth) * 20.0, (fifth * 20).to_string())).collect(),
            logarithmic: false,
        },
        lines: vec![
            line("signed, Zipf 0.8", 0.8, 100.0, &|tiers| tiers.signed),
            line("signed, Zipf 1.0", 1.0, 100.0, &|tiers| tiers.signed),
            line("local, 10 instances", 1.0, 10.0, &|tiers| tiers.local),
            line("local, 1,000 instances", 1.0, 1000.0, &|tiers| tiers.local),
        ],
    }
}
