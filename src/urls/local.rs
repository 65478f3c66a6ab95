//! URLs in process: bounded by bytes, each with its own end.

use jiff::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::schedule::HandedOut;

/// What an entry costs beside its texts: the map's slot, the reference counts, the times. An estimate from above.
const OVERHEAD_BYTES: u64 = 160;

/// A URL that this process holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) handed_out: HandedOut,
    /// When Redis was last known to hold the same one; `None` when it was signed without asking Redis.
    pub(super) confirmed_at: Option<Timestamp>,
}

/// By cache key, the same text as in Redis.
#[derive(Debug)]
pub(super) struct LocalUrls(Cache<String, Held, ByBytes>);

impl LocalUrls {
    pub(super) fn new(bytes: usize) -> Self {
        // the expected number of entries only sizes the first tables; URLs of role credentials have some 1,700 bytes
        let entries = (bytes / 2048).max(16);
        Self(Cache::with_weighter(entries, bytes as u64, ByBytes))
    }

    /// `None` as well when its time is over.
    pub(super) fn get(&self, cache_key: &str, now: Timestamp) -> Option<Held> {
        self.0.get(cache_key).filter(|held| held.handed_out.until > now)
    }

    pub(super) fn put(&self, cache_key: String, held: Held) {
        self.0.insert(cache_key, held);
    }

    #[cfg(test)]
    fn bytes(&self) -> u64 {
        self.0.weight()
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<String, Held> for ByBytes {
    fn weight(&self, cache_key: &String, held: &Held) -> u64 {
        cache_key.len() as u64 + held.handed_out.url.expose().len() as u64 + OVERHEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::SignedUrl;

    fn held(until: Timestamp) -> Held {
        let url = SignedUrl::new("https://bucket.example/".to_owned() + &"k".repeat(1000), until);
        Held { handed_out: HandedOut { url, until }, confirmed_at: None }
    }

    #[test]
    fn an_entry_ends_at_its_own_time_however_often_it_is_read() {
        let urls = LocalUrls::new(1 << 20);
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        urls.put("key".into(), held(now + Duration::from_secs(2)));
        for second in 0..2 {
            assert!(urls.get("key", now + Duration::from_secs(second)).is_some());
        }
        assert!(urls.get("key", now + Duration::from_secs(2)).is_none());
    }

    #[test]
    fn it_never_holds_more_bytes_than_it_may() {
        let urls = LocalUrls::new(100_000);
        let until = Timestamp::from_second(1_790_000_000).unwrap();
        for number in 0..10_000 {
            urls.put(format!("key {number}"), held(until));
            assert!(urls.bytes() <= 100_000, "{}", urls.bytes());
        }
        assert!(urls.bytes() > 50_000, "{}", urls.bytes());
    }
}
