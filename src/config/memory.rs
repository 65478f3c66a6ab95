//! How `cache.memory` is shared out: the one place that knows.

use super::Cache;

/// The bounds of the in-process caches, in bytes. Together they are `cache.memory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryShares {
    /// Rendered answers, a half: they are what most requests need, and large.
    pub answers: usize,
    /// Signed URLs, three eighths.
    pub urls: usize,
    /// Photo locations, what is left: an eighth.
    pub locations: usize,
}

impl Cache {
    /// The bound of each cache.
    pub fn shares(&self) -> MemoryShares {
        let all = self.memory.bytes();
        let (answers, urls) = (all / 2, all / 8 * 3);
        MemoryShares { answers, urls, locations: all - answers - urls }
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
            assert_eq!(shares.answers + shares.urls + shares.locations, all);
            assert!(shares.locations > 0 && shares.urls > shares.locations && shares.answers > shares.urls);
        }
    }
}
