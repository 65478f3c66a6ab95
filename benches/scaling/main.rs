//! The figures behind `docs/scaling.md`: what a URL costs Redis, and a simulation of 100 million photos.
//!
//! `cargo bench --bench scaling`. With `-- --svg DIRECTORY` it draws the plots as well. Measured are the bytes and the
//! processor time of Redis; all else is simulated or computed with a fixed seed, and the same on every machine. At the start
//! each part of the simulation is compared with what is known otherwise, and panics when it is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "that is what it is for")]
#![allow(unreachable_pub, reason = "nobody uses a benchmark")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts become shares, and times whole seconds"
)]

mod browser;
mod costs;
mod photo;
mod plot;
mod plots;
mod redis_costs;
#[path = "../../tests/support/mod.rs"]
mod support;
mod tiers;
mod waves;
mod zipf;

use std::path::PathBuf;

use beetroot_api::config::Settings;
use fastrand::Rng;

use crate::costs::Visit;
use crate::photo::{Life, ROLE_TOKEN_BYTES};
use crate::redis_costs::Cost;
use crate::tiers::Fleet;
use crate::waves::{Rule, Wave};
use crate::zipf::Zipf;

const SEED: u64 = 6;
const PHOTOS: u64 = 100_000_000;
/// Pictures on a page that is looked at.
const PICTURES_PER_VIEW: f64 = 50.0;
/// What an entry of the local tier weighs beside its texts (`urls/local.rs`).
const LOCAL_OVERHEAD_BYTES: usize = 160;
/// A page of 100 photos in the answers' memory: two URLs a photo and what stands around them, plain and compressed.
const ANSWER_BYTES: f64 = 450_000.0;
/// All of them are wanted within the life of a URL.
const SMALL_COLLECTION: u64 = 100_000;
const RULES: [(&str, Rule); 4] = [
    ("Redis, jitter (as built)", Rule::Redis { jitter: true }),
    ("Redis, no jitter", Rule::Redis { jitter: false }),
    ("10 alone, offset (as built)", Rule::Windows { instances: 10, offset: true }),
    ("10 alone, no offset", Rule::Windows { instances: 10, offset: false }),
];
const GB: f64 = 1e9;
const HOUR: f64 = 3600.0;

fn main() {
    let directory = std::env::args().skip_while(|argument| argument != "--svg").nth(1).map(PathBuf::from);
    let mut rng = Rng::with_seed(SEED);
    zipf::check(&mut rng);
    tiers::check(&mut rng);
    waves::check(&mut rng);
    browser::check(&mut rng);
    println!("the sampler, the formulas and the simulations agree with what is known otherwise");
    // the figures do not depend on how much the checks have drawn
    let mut rng = Rng::with_seed(SEED);

    let url = measured(&mut rng);
    let waves = renewal_waves(&mut rng);
    hit_ratios(&url);
    browser_reuse(&mut rng);
    reads_of_dynamodb();
    if let Some(directory) = directory {
        let [large, small] = waves;
        let title = "100 million photos, 10,000 page views/s: URLs signed after a cold start";
        std::fs::write(directory.join("scaling-waves-large.svg"), plots::of_waves(title, large).svg())
            .unwrap();
        let title = "100,000 photos, 1,000 page views/s: URLs signed after a cold start";
        std::fs::write(directory.join("scaling-waves-small.svg"), plots::of_waves(title, small).svg())
            .unwrap();
        std::fs::write(directory.join("scaling-tiers.svg"), plots::of_tiers(&url).svg()).unwrap();
    }
}

/// What Redis needs; gives the cost of a role's URL.
fn measured(rng: &mut Rng) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    title("measured: Redis, 100,000 of each, 100 keys a call; µs are its processor time on this machine");
    println!(
        "{:28} {:>6} {:>6} {:>8} {:>9} {:>9} {:>10}",
        "", "key B", "value", "in Redis", "write µs", "read µs", "single µs"
    );
    let line = |name: &str, cost: &Cost| {
        println!(
            "{name:28} {:6} {:6} {:8.0} {:9.2} {:9.2} {:10.2}",
            cost.key_bytes,
            cost.value_bytes,
            cost.redis_bytes,
            cost.write_micros,
            cost.read_micros,
            cost.single_read_micros
        );
    };
    line("URL, keys of a user", &runtime.block_on(redis_costs::of_urls(0, rng)));
    let role = runtime.block_on(redis_costs::of_urls(ROLE_TOKEN_BYTES, rng));
    line("URL, role, 900 byte token", &role);
    line("place of a photo", &runtime.block_on(redis_costs::of_places(rng)));
    role
}

/// Simulates the signatures after a cold start: of a large collection, and of one that is all warm.
fn renewal_waves(rng: &mut Rng) -> [Vec<Wave>; 2] {
    title("simulated: signatures a second after a cold start (Zipf 1.0, PRESIGN_EXPIRES 1 h, bins of 20 s)");
    println!(
        "{:>10} {:>9} {:42} {:>9} {:>11} {:>9} {:>11}",
        "photos", "views/s", "", "start", "later peak", "steady", "peak/steady"
    );
    [(PHOTOS, 1e4), (SMALL_COLLECTION, 1e3)].map(|(photos, views)| {
        let zipf = Zipf::new(photos, 1.0);
        let rules = RULES.map(|(name, rule)| {
            let wave = Wave::follow(&zipf, views * PICTURES_PER_VIEW, Life::of(3600), rule, rng);
            let (start, peak, steady) = (wave.start(), wave.peak(), wave.steady());
            println!(
                "{photos:10} {views:9} {name:42} {start:9.0} {peak:11.0} {steady:9.0} {:11.2}",
                peak / steady
            );
            wave
        });
        rules.into()
    })
}

fn fleet(url: &Cost, views: f64, instances: f64, memory: f64, redis_bytes: Option<f64>) -> Fleet {
    let entry = url.key_bytes + url.value_bytes + LOCAL_OVERHEAD_BYTES;
    Fleet {
        instances,
        lookups_per_second: views * PICTURES_PER_VIEW,
        local_entries: memory / entry as f64,
        redis_entries: redis_bytes.map(|bytes| bytes / url.redis_bytes),
        confirm: 30.0,
        life: Life::of(3600).mean(),
    }
}

/// The share of `cache.memory` that is for URLs, bytes.
fn local_bytes() -> f64 {
    Settings::defaults(photo::BUCKET).cache.shares().urls as f64
}

fn hit_ratios(url: &Cost) {
    title("computed: who answers a lookup of a URL (steady state, role's URLs, 64 MiB of cache.memory)");
    println!(
        "Zipf    views/s  instances  room GB   local %  Redis % signed %   keys/s of Redis  signed/s  held GB  sent MB/s  cores"
    );
    for exponent in [1.0, 0.8] {
        let classes = Zipf::new(PHOTOS, exponent).classes();
        for views in [1e3, 1e4, 1e5] {
            for instances in [10.0, 100.0, 1000.0] {
                for room in [Some(8.0), Some(64.0), Some(1000.0), None] {
                    let fleet = fleet(url, views, instances, local_bytes(), room.map(|room| room * GB));
                    let tiers = fleet.tiers(&classes);
                    let per_second = |share: f64| share * fleet.lookups_per_second;
                    let (shared, signed) = (per_second(tiers.redis), per_second(tiers.signed));
                    let with_redis = f64::from(u8::from(room.is_some()));
                    // what is signed is written and read back; a key of a Cluster is a command of its own
                    let sent = (shared + signed) * url.value_bytes as f64 / 1e6 * with_redis;
                    let busy =
                        (shared * url.single_read_micros + signed * url.write_micros) / 1e6 * with_redis;
                    println!(
                        "{exponent:4} {views:10} {instances:10} {:>8} {:9.1} {:8.1} {:8.1} {:17.0} {signed:9.0} {:8.1} {sent:10.0} {busy:6.1}",
                        room.map_or("none".to_owned(), |room| room.to_string()),
                        tiers.local * 100.0,
                        tiers.redis * 100.0,
                        tiers.signed * 100.0,
                        (shared + signed) * with_redis,
                        tiers.redis_holds * url.redis_bytes / GB,
                    );
                }
            }
        }
    }
    title(
        "computed: what cache.memory and cache.confirm change (Zipf 1.0, 10,000 views/s, 100 instances), local %",
    );
    let classes = Zipf::new(PHOTOS, 1.0).classes();
    for mebibytes in [64.0, 256.0, 1024.0, 4096.0] {
        print!("cache.memory {mebibytes:5} MiB:");
        for confirm in [30.0, 300.0] {
            let fleet = fleet(url, 1e4, 100.0, local_bytes() / 64.0 * mebibytes, Some(1000.0 * GB));
            let tiers = Fleet { confirm, ..fleet }.tiers(&classes);
            print!("   {:5.1} with {confirm} s", tiers.local * 100.0);
        }
        println!();
    }
}

fn browser_reuse(rng: &mut Rng) {
    title(
        "simulated: pictures that a returning visitor's browser has (Zipf 1.0; gap log-normal, median 10 min, sigma 1.5)",
    );
    println!(
        "{:>9} {:>9} {:>9} {:>10} {:>9} {:>14} {:>14}",
        "expires", "role", "views/s", "mean life", "reused %", "$ GETs saved", "$ with traffic"
    );
    let zipf = Zipf::new(PHOTOS, 1.0);
    for (expires, role) in [
        (3600, None),
        (3600, Some(HOUR)),
        (3600, Some(6.0 * HOUR)),
        (12 * 3600, None),
        (12 * 3600, Some(HOUR)),
        (12 * 3600, Some(6.0 * HOUR)),
        (12 * 3600, Some(12.0 * HOUR)),
    ] {
        for views in [1e3, 1e5] {
            let reuse = browser::reuse(&zipf, views * PICTURES_PER_VIEW, Life::of(expires), role, rng);
            let gets = reuse.share * costs::DOLLARS_PER_MILLION_GETS;
            let traffic = reuse.share * 1e6 * costs::THUMB_BYTES / GB * costs::DOLLARS_PER_GB;
            println!(
                "{:>9} {:>9} {views:9} {:>10} {:9.1} {gets:14.2} {:14.2}",
                format!("{} h", expires / 3600),
                role.map_or("none".to_owned(), |seconds| format!("{} h", seconds / HOUR)),
                format!("{:.2} h", reuse.life / HOUR),
                reuse.share * 100.0,
                gets + traffic
            );
        }
    }
    println!("$: for a million pictures shown to visitors who have seen them before");
}

fn reads_of_dynamodb() {
    title("computed: the ranking, pages of it asked for on each instance all the time");
    println!(
        "{:>9} {:>10} {:>11} {:>6} {:>12} {:>14}",
        "persons", "instances", "units/scan", "calls", "units/s", "$/month"
    );
    for persons in [1e4, 1e5, 1e6] {
        for instances in [10.0, 100.0, 1000.0] {
            let (units, calls) = costs::scan(persons);
            let rate = costs::ranking_units_per_second(persons, instances);
            println!(
                "{persons:9} {instances:10} {units:11.0} {calls:6} {rate:12.0} {:14.0}",
                costs::dollars_per_month(rate)
            );
        }
    }
    title(
        "computed: read units of a visit (grid, two persons of 100 photos, the grid again), and $ for a million visits",
    );
    println!(
        "{:>9} {:>9} {:>10} {:>10} {:>12} {:>8} {:>10} {:>12}",
        "persons", "visits/s", "instances", "ranking", "occurrences", "places", "units", "$/million"
    );
    let line = |persons: u64, what: (&str, &str), visit: &Visit| {
        println!(
            "{persons:9} {:>9} {:>10} {:10.2} {:12.2} {:8.2} {:10.1} {:12.2}",
            what.0,
            what.1,
            visit.ranking,
            visit.occurrences,
            visit.places,
            visit.units(),
            visit.units() * costs::DOLLARS_PER_MILLION_UNITS
        );
    };
    let answers = Settings::defaults(photo::BUCKET).cache.shares().answers as f64 / ANSWER_BYTES;
    for persons in [10_000, 100_000] {
        line(persons, ("any", "no caches"), &Visit::without_caches(persons as f64));
        for visits in [10.0, 100.0, 1000.0] {
            for instances in [10.0, 100.0] {
                let visit = Visit::with_caches(persons, instances, visits, answers);
                line(persons, (&visits.to_string(), &instances.to_string()), &visit);
            }
        }
    }
}

fn title(text: &str) {
    println!("\n== {text}");
}
