//! How `cache.memory` is shared out: the one place that knows.

use super::Cache;

/// The bounds of the in-process caches, in bytes. Together they are `cache.memory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryShares {
    /// Rendered answers, three eighths: they are what most requests need, and large.
    pub answers: usize,
    /// Signed URLs, three eighths.
    pub urls: usize,
    /// The ranking of persons, an eighth: all pages of it are made of one.
    pub ranking: usize,
    /// Photo locations, what is left: an eighth.
    pub locations: usize,
}

impl Cache {
    /// The bound of each cache.
    pub fn shares(&self) -> MemoryShares {
        let all = self.memory.bytes();
        let eighth = all / 8;
        MemoryShares { answers: 3 * eighth, urls: 3 * eighth, ranking: eighth, locations: all - 7 * eighth }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::ByteSize;

    #[test]
    fn the_shares_are_all_of_it_and_nothing_more() {
        for all in [1 << 20, (1 << 20) + 7, 64 << 20, usize::MAX] {
            let shares = Cache { memory: ByteSize(all), confirm: Duration::ZERO }.shares();
            assert_eq!(shares.answers + shares.urls + shares.ranking + shares.locations, all);
            assert!(shares.ranking > 0 && shares.locations >= shares.ranking);
            assert!(shares.urls > shares.locations && shares.answers > shares.locations);
        }
    }
}
