//! What reads of DynamoDB and of S3 cost, from how the service reads, assumed rows and assumed prices.

use crate::tiers::time_to_fill;
use crate::zipf::Zipf;

/// US dollars for a million read request units, on demand: us-east-1, after the cut of November 2024. Check the price page.
pub const DOLLARS_PER_MILLION_UNITS: f64 = 0.125;
/// US dollars for a million GETs of S3 Standard, us-east-1. Check the price page.
pub const DOLLARS_PER_MILLION_GETS: f64 = 0.40;
/// US dollars for a GB from S3 to the internet, us-east-1, the first 10 TB of a month. Check the price page.
pub const DOLLARS_PER_GB: f64 = 0.09;
/// Of a thumbnail, bytes.
pub const THUMB_BYTES: f64 = 30_000.0;

/// The whole row counts, whatever a projection leaves of it.
const PERSON_ROW_BYTES: f64 = 200.0;
const OCCURRENCE_ROW_BYTES: f64 = 400.0;
/// A page of a scan ends at a megabyte.
const SCAN_PAGE_BYTES: f64 = 1_048_576.0;
/// Half a unit for 4 KB: no read asks for strong consistency.
const UNITS_PER_BLOCK: f64 = 0.5;
const BLOCK_BYTES: f64 = 4096.0;
/// `lists.fresh`.
pub const FRESH_SECONDS: f64 = 5.0;
/// How long the place of a photo is remembered.
const PLACE_SECONDS: f64 = 3600.0;
/// Occurrences that lack bucket or key.
const SHARE_WITHOUT_PLACE: f64 = 0.1;
/// Of a page of a person.
const PHOTOS_PER_PAGE: f64 = 100.0;
/// A visit asks for the grid, for two persons, and for the grid again.
const GRIDS_PER_VISIT: f64 = 2.0;
const PERSONS_PER_VISIT: f64 = 2.0;
const SECONDS_PER_MONTH: f64 = 30.0 * 86_400.0;

/// The ranking reads the whole table: its units, and the calls one after another.
pub fn scan(persons: f64) -> (f64, f64) {
    let bytes = persons * PERSON_ROW_BYTES;
    (units(bytes), (bytes / SCAN_PAGE_BYTES).ceil())
}

/// Units a second for the ranking when each instance is asked for pages of it all the time; they share a scan.
pub fn ranking_units_per_second(persons: f64, instances: f64) -> f64 {
    scan(persons).0 * instances / FRESH_SECONDS
}

pub fn dollars_per_month(units_per_second: f64) -> f64 {
    units_per_second * SECONDS_PER_MONTH / 1e6 * DOLLARS_PER_MILLION_UNITS
}

/// Read units of one visit, by what they are for.
pub struct Visit {
    pub ranking: f64,
    pub occurrences: f64,
    pub places: f64,
}

impl Visit {
    pub fn units(&self) -> f64 {
        self.ranking + self.occurrences + self.places
    }

    /// Each request reads for itself.
    pub fn without_caches(persons: f64) -> Self {
        Self {
            ranking: GRIDS_PER_VISIT * scan(persons).0,
            occurrences: PERSONS_PER_VISIT * units(PHOTOS_PER_PAGE * OCCURRENCE_ROW_BYTES),
            places: PERSONS_PER_VISIT * PHOTOS_PER_PAGE * SHARE_WITHOUT_PLACE * UNITS_PER_BLOCK,
        }
    }

    /// Answers of the last seconds are given again, as long as there is room for `answers` of them in an instance; places of
    /// photos are in Redis. Whose pages are wanted follows Zipf's law.
    pub fn with_caches(persons: u64, instances: f64, visits_per_second: f64, answers: f64) -> Self {
        let each = Self::without_caches(persons as f64);
        let grids = visits_per_second * GRIDS_PER_VISIT / instances;
        let zipf = Zipf::new(persons, 1.0);
        let classes = zipf.classes();
        let all = visits_per_second * PERSONS_PER_VISIT;
        let here = all / instances;
        let remembered = time_to_fill(&classes, here, answers, |lookups| -(-lookups).exp_m1());
        let (mut made, mut asked_of_table) = (0.0, 0.0);
        for class in &classes {
            let of_class = class.photos * class.share;
            let forgotten = (-here * class.share * remembered).exp();
            made += of_class * (1.0 / (1.0 + here * class.share * FRESH_SECONDS)).max(forgotten);
            asked_of_table += of_class / (1.0 + all * class.share * PLACE_SECONDS);
        }
        Self {
            ranking: each.ranking / (1.0 + grids * FRESH_SECONDS),
            occurrences: each.occurrences * made,
            places: each.places * asked_of_table,
        }
    }
}

fn units(bytes: f64) -> f64 {
    (bytes / BLOCK_BYTES).ceil() * UNITS_PER_BLOCK
}
