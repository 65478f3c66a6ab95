//! Where photos are, remembered: in process, then in Redis, then the table of photos. That a photo has no row is remembered as
//! well, for a shorter time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::{Catalog, CatalogError, PhotoLocation};
use crate::clock::Clock;
use crate::domain::PhotoId;
use crate::shared_cache::{Put, PutMode, Session};
use crate::telemetry::metrics::{CacheTier, Metrics, RefusedValue};

/// How long a place is remembered.
const FOUND_FOR: Duration = Duration::from_secs(60 * 60);
/// How long it is remembered that a photo has no row, or a row that names no place: somebody may be about to write it.
const MISSING_FOR: Duration = Duration::from_secs(60);
/// What an entry costs beside its texts. An estimate from above.
const OVERHEAD_BYTES: u64 = 200;

/// The table of photos behind its caches.
#[derive(Debug)]
pub struct PhotoLocations {
    catalog: Catalog,
    clock: Clock,
    metrics: Metrics,
    namespace: String,
    local: Cache<PhotoId, Remembered, ByBytes>,
}

/// What was found, and until when that counts. In Redis it is this as JSON: `{"bucket":"b","key":"k","until":1790000000}`, or
/// without bucket and key for a photo without a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Whether there is a row.
    row: bool,
    /// Seconds since 1970; each tier checks it, and no read extends it.
    until: i64,
}

impl Remembered {
    fn new(location: Option<PhotoLocation>, now: Timestamp) -> Self {
        let row = location.is_some();
        let location = location.unwrap_or_default();
        let lifetime = if location.is_complete() { FOUND_FOR } else { MISSING_FOR };
        Self { bucket: location.bucket, key: location.key, row, until: (now + lifetime).as_second() }
    }

    /// `None` for what this service did not write, or what has ended.
    fn parse(text: &[u8], now: Timestamp) -> Result<Self, &'static str> {
        let remembered: Self = serde_json::from_slice(text).map_err(|_| "form")?;
        let is_empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
        let has_place = remembered.bucket.is_some() || remembered.key.is_some();
        if is_empty(&remembered.bucket) || is_empty(&remembered.key) || (has_place && !remembered.row) {
            return Err("form");
        }
        match remembered.until.saturating_sub(now.as_second()) {
            ..=0 => Err("expired"),
            // an hour, and what clocks may differ
            3901.. => Err("time"),
            _ => Ok(remembered),
        }
    }

    fn location(&self) -> Option<PhotoLocation> {
        self.row.then(|| PhotoLocation { bucket: self.bucket.clone(), key: self.key.clone() })
    }

    fn ttl(&self, now: Timestamp) -> Duration {
        Duration::from_secs((self.until - now.as_second()).max(1).unsigned_abs())
    }
}

impl PhotoLocations {
    /// `local_bytes` bounds what this process remembers.
    pub fn new(
        catalog: Catalog,
        clock: Clock,
        metrics: Metrics,
        namespace: String,
        local_bytes: u64,
    ) -> Self {
        let entries = usize::try_from(local_bytes / 512).unwrap_or(usize::MAX).max(16);
        let local = Cache::with_weighter(entries, local_bytes, ByBytes);
        Self { catalog, clock, metrics, namespace, local }
    }

    /// Where these photos are; those without a row are not in the answer. At most one read and one write of Redis; what is
    /// known nowhere is asked of DynamoDB, all or nothing.
    pub async fn find(
        &self,
        ids: impl IntoIterator<Item = PhotoId>,
        session: &mut Session,
    ) -> Result<HashMap<PhotoId, PhotoLocation>, CatalogError> {
        let now = self.clock.now();
        let mut places = HashMap::new();
        let mut unknown = Vec::new();
        let distinct: BTreeSet<PhotoId> = ids.into_iter().filter(PhotoId::can_be_a_key).collect();
        for id in distinct {
            match self.local.get(&id).filter(|remembered| remembered.until > now.as_second()) {
                Some(remembered) => {
                    self.metrics.photo_location_hits.get_or_create(&CacheTier::LOCAL).inc();
                    places.extend(remembered.location().map(|location| (id, location)));
                }
                None => unknown.push(id),
            }
        }
        let unknown = self.look_into_redis(unknown, session, now, &mut places).await;
        if unknown.is_empty() {
            return Ok(places);
        }
        let mut found = self.catalog.photo_locations(unknown.keys().cloned()).await?;
        let mut puts = Vec::with_capacity(unknown.len());
        for (id, mode) in unknown {
            let remembered = Remembered::new(found.remove(&id), now);
            // writing these fields as JSON cannot fail; if it did, Redis would only not hold them
            if let Ok(value) = serde_json::to_vec(&remembered) {
                puts.push(Put { key: self.cache_key(&id), value, ttl: remembered.ttl(now), mode });
            }
            places.extend(remembered.location().map(|location| (id.clone(), location)));
            self.local.insert(id, remembered);
        }
        // without Redis the next one asks DynamoDB again; an answer of another instance is as good as ours
        let _ = session.put_many(&puts).await;
        Ok(places)
    }

    /// Adds what Redis knows to `places`; gives the rest, and how it is to be written.
    async fn look_into_redis(
        &self,
        ids: Vec<PhotoId>,
        session: &mut Session,
        now: Timestamp,
        places: &mut HashMap<PhotoId, PhotoLocation>,
    ) -> HashMap<PhotoId, PutMode> {
        let mut unknown = HashMap::new();
        if ids.is_empty() {
            return unknown;
        }
        let keys: Vec<String> = ids.iter().map(|id| self.cache_key(id)).collect();
        let found = session.get_many(&keys).await.unwrap_or_default();
        let mut found = found.into_iter();
        for id in ids {
            let mode = match found.next().flatten().map(|text| Remembered::parse(&text, now)) {
                Some(Ok(remembered)) => {
                    self.metrics.photo_location_hits.get_or_create(&CacheTier::REDIS).inc();
                    places.extend(remembered.location().map(|location| (id.clone(), location)));
                    self.local.insert(id, remembered);
                    continue;
                }
                Some(Err(reason)) => {
                    self.metrics
                        .cached_values_refused
                        .get_or_create(&RefusedValue { kind: "photo", reason })
                        .inc();
                    PutMode::Overwrite
                }
                None => PutMode::IfAbsent,
            };
            unknown.insert(id, mode);
        }
        unknown
    }

    fn cache_key(&self, id: &PhotoId) -> String {
        format!("{}:photo:{}", self.namespace, id.as_str())
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<PhotoId, Remembered> for ByBytes {
    fn weight(&self, id: &PhotoId, remembered: &Remembered) -> u64 {
        let bytes = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        (id.as_str().len() + bytes(&remembered.bucket) + bytes(&remembered.key)) as u64 + OVERHEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn parse(text: &str) -> Result<Remembered, &'static str> {
        Remembered::parse(text.as_bytes(), Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn what_is_remembered_reads_as_it_was_written_until_its_end() {
        let now = Timestamp::from_second(NOW).unwrap();
        let place = |bucket: Option<&str>, key: Option<&str>| {
            Some(PhotoLocation { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned) })
        };
        for (location, seconds) in [
            (place(Some("raw"), Some("photos-raw/1.jpg")), 3600),
            (place(Some("raw"), None), 60),
            (place(None, None), 60),
            (None, 60),
        ] {
            let remembered = Remembered::new(location.clone(), now);
            let text = serde_json::to_vec(&remembered).unwrap();
            for later in [0, seconds - 1] {
                let read = Remembered::parse(&text, now + Duration::from_secs(later)).unwrap();
                assert_eq!(read.location(), location);
            }
            assert_eq!(Remembered::parse(&text, now + Duration::from_secs(seconds)), Err("expired"));
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in [
            "",
            "garbage",
            "null",
            "{}",
            r#"{"row":true}"#,
            r#"{"row":false,"bucket":"b","until":1790000010}"#,
            r#"{"row":true,"bucket":"","key":"k","until":1790000010}"#,
            r#"{"row":true,"until":1790000010,"more":1}"#,
            r#"{"row":true,"bucket":7,"until":1790000010}"#,
        ] {
            assert_eq!(parse(text), Err("form"), "{text}");
        }
        assert_eq!(parse(r#"{"row":true,"until":1790009999}"#), Err("time"));
        assert_eq!(parse(r#"{"row":true,"until":9223372036854775807}"#), Err("time"));
        assert_eq!(parse(r#"{"row":true,"until":-9223372036854775808}"#), Err("expired"));
    }
}
