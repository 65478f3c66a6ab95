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
use crate::seal::Seal;
use crate::shared_cache::{Put, PutMode, PutOutcome, Session};
use crate::telemetry::metrics::{Lookup, Metrics, RefusedValue};

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
    seal: Seal,
    namespace: String,
    local: Cache<PhotoId, Remembered, ByBytes>,
}

/// What was found, and until when that counts. In Redis it is this as JSON and, behind a space, the seal of it and of the photo:
/// whoever can write to Redis must not be able to make the service sign another object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// As it stands in Redis; `None` never happens, because these fields are always written as JSON.
    fn write(&self, seal: &Seal, id: &PhotoId) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec(self).ok()?;
        let tag = seal.tag(&place_of(id), &text);
        text.push(b' ');
        text.extend(hex::encode(tag).into_bytes());
        Some(text)
    }

    /// A word for what is wrong with a text that this service did not write for this photo, or that has ended.
    fn read(text: &[u8], seal: &Seal, id: &PhotoId, now: Timestamp) -> Result<Self, &'static str> {
        let space = text.iter().rposition(|byte| *byte == b' ').ok_or("form")?;
        let (json, tag) = (&text[..space], hex::decode(&text[space + 1..]).map_err(|_| "form")?);
        if !seal.is_of(&place_of(id), json, &tag) {
            return Err("seal");
        }
        let remembered: Self = serde_json::from_slice(json).map_err(|_| "form")?;
        if remembered.until <= now.as_second() {
            return Err("expired");
        }
        Ok(remembered)
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
        seal: Seal,
        namespace: String,
        local_bytes: usize,
    ) -> Self {
        let entries = (local_bytes / 512).max(16);
        let local = Cache::with_weighter(entries, local_bytes as u64, ByBytes);
        // from 0, or an alert does not see the first one as an increase
        for reason in ["expired", "form", "seal", "type"] {
            metrics.cached_values_refused.get_or_create_owned(&RefusedValue { kind: "photo", reason });
        }
        Self { catalog, clock, metrics, seal, namespace, local }
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
            let remembered = self.local.get(&id).filter(|remembered| remembered.until > now.as_second());
            self.count(&Lookup::local(remembered.is_some()));
            match remembered {
                Some(remembered) => {
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
            if let Some(value) = remembered.write(&self.seal, &id) {
                puts.push(Put { key: self.cache_key(&id), value, ttl: remembered.ttl(now), mode });
            }
            places.extend(remembered.location().map(|location| (id.clone(), location)));
            self.local.insert(id, remembered);
        }
        // without Redis the next one asks DynamoDB again; an answer of another instance is as good as ours
        let outcomes = session.put_many(&puts).await.unwrap_or_default();
        for _ in outcomes.iter().filter(|outcome| **outcome == PutOutcome::Replaced) {
            self.count_refused("type");
        }
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
            let mode = match found.next().flatten().map(|text| Remembered::read(&text, &self.seal, &id, now))
            {
                Some(Ok(remembered)) => {
                    self.count(&Lookup::redis(true));
                    places.extend(remembered.location().map(|location| (id.clone(), location)));
                    self.local.insert(id, remembered);
                    continue;
                }
                Some(Err(reason)) => {
                    self.count_refused(reason);
                    PutMode::Overwrite
                }
                None => PutMode::IfAbsent,
            };
            self.count(&Lookup::redis(false));
            unknown.insert(id, mode);
        }
        unknown
    }

    fn count_refused(&self, reason: &'static str) {
        self.metrics.cached_values_refused.get_or_create(&RefusedValue { kind: "photo", reason }).inc();
    }

    fn count(&self, lookup: &Lookup) {
        self.metrics.photo_location_lookups.get_or_create(lookup).inc();
    }

    fn cache_key(&self, id: &PhotoId) -> String {
        format!("{}:photo:{}", self.namespace, id.as_str())
    }
}

/// What a seal is for: one photo's place.
fn place_of(id: &PhotoId) -> String {
    format!("photo {}", id.as_str())
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

    use secrecy::SecretString;

    const NOW: i64 = 1_790_000_000;

    fn id(text: &str) -> PhotoId {
        PhotoId::from_row(text.into()).unwrap()
    }

    #[test]
    fn what_is_remembered_reads_as_it_was_written_until_its_end() {
        let now = Timestamp::from_second(NOW).unwrap();
        let seal = Seal::new(&SecretString::default());
        let place = |bucket: Option<&str>, key: Option<&str>| {
            Some(PhotoLocation { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned) })
        };
        for (location, seconds) in [
            (place(Some("raw"), Some("photos-raw/a b.jpg")), 3600),
            (place(Some("raw"), None), 60),
            (place(None, None), 60),
            (None, 60),
        ] {
            let text = Remembered::new(location.clone(), now).write(&seal, &id("1")).unwrap();
            for later in [0, seconds - 1] {
                let read =
                    Remembered::read(&text, &seal, &id("1"), now + Duration::from_secs(later)).unwrap();
                assert_eq!(read.location(), location);
            }
            let end = now + Duration::from_secs(seconds);
            assert_eq!(Remembered::read(&text, &seal, &id("1"), end), Err("expired"));
        }
    }

    #[test]
    fn what_was_not_written_for_the_photo_is_refused() {
        let now = Timestamp::from_second(NOW).unwrap();
        let seal = Seal::new(&SecretString::default());
        let location = PhotoLocation { bucket: Some("raw".into()), key: Some("1.jpg".into()) };
        let good = Remembered::new(Some(location), now).write(&seal, &id("1")).unwrap();
        let good = String::from_utf8(good).unwrap();
        let read = |text: &str, photo: &str| Remembered::read(text.as_bytes(), &seal, &id(photo), now);
        assert!(read(&good, "1").is_ok());
        assert_eq!(read(&good, "2"), Err("seal"), "of another photo");
        assert_eq!(read(&good.replace("1.jpg", "secret"), "1"), Err("seal"));
        let operators = Seal::new(&"a key of an operator".into());
        assert_eq!(Remembered::read(good.as_bytes(), &operators, &id("1"), now), Err("seal"));
        for text in ["", " ", "garbage", "{} zz", &good.replace(' ', "")] {
            assert_eq!(read(text, "1"), Err(if text == " " { "seal" } else { "form" }), "{text}");
        }
    }
}
