//! When to stop waiting for Redis, and when to look whether it is back. Time comes from outside, as what has passed since
//! some moment in the past.

use std::time::Duration;

/// Failures of reads in a row, or of writes, that open it.
const FAILURES_TO_OPEN: u32 = 3;
/// How often Redis is asked whether it is back.
const BETWEEN_PROBES: Duration = Duration::from_secs(1);

/// What fails or succeeds. Each counts for itself: a Redis that reads and hangs at writes costs every writer its deadline, however
/// many reads go well in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

/// Closed: requests wait for Redis. Open: none does, and a probe a second looks whether it is back.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    read_failures_in_a_row: u32,
    write_failures_in_a_row: u32,
    /// When it was opened or probed last; `None` is closed.
    open_since: Option<Duration>,
}

/// What a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// Wait for Redis.
    Go,
    /// Go on without it.
    Skip,
    /// Go on without it, and have somebody else look whether it is back.
    Probe,
}

/// What an event has changed for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Opened,
    Closed,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.open_since.is_some()
    }

    /// Of all that ask within a second, one is told to probe.
    pub(super) fn ask(&mut self, now: Duration) -> Permit {
        match &mut self.open_since {
            None => Permit::Go,
            Some(since) if now.saturating_sub(*since) < BETWEEN_PROBES => Permit::Skip,
            Some(since) => {
                *since = now;
                Permit::Probe
            }
        }
    }

    /// Redis has failed a request.
    pub(super) fn failed(&mut self, used: Use, now: Duration) -> Option<Change> {
        if self.is_open() {
            // a request from before it was opened
            return None;
        }
        let failures = self.failures_in_a_row(used);
        *failures += 1;
        (*failures >= FAILURES_TO_OPEN).then(|| {
            self.open_since = Some(now);
            Change::Opened
        })
    }

    /// Redis has answered a request. Closes nothing: a request from before it was opened says nothing about now.
    pub(super) fn succeeded(&mut self, used: Use) {
        *self.failures_in_a_row(used) = 0;
    }

    /// Redis has answered a probe.
    pub(super) fn probe_succeeded(&mut self) -> Option<Change> {
        (self.read_failures_in_a_row, self.write_failures_in_a_row) = (0, 0);
        self.open_since.take().map(|_| Change::Closed)
    }

    fn failures_in_a_row(&mut self, used: Use) -> &mut u32 {
        match used {
            Use::Read => &mut self.read_failures_in_a_row,
            Use::Write => &mut self.write_failures_in_a_row,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn opened_at(now: Duration) -> Breaker {
        let mut breaker = Breaker::default();
        assert_eq!([breaker.failed(Use::Read, now), breaker.failed(Use::Read, now)], [None, None]);
        assert_eq!(breaker.failed(Use::Read, now), Some(Change::Opened));
        breaker
    }

    #[test]
    fn three_failures_in_a_row_open_it_and_fewer_do_not() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            assert_eq!(breaker.failed(Use::Read, at(0)), None);
            assert_eq!(breaker.failed(Use::Read, at(0)), None);
            breaker.succeeded(Use::Read);
        }
        assert_eq!(breaker.ask(at(0)), Permit::Go);
        assert!(opened_at(at(5)).is_open());
    }

    #[test]
    fn reads_that_go_well_do_not_excuse_writes_that_fail() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker.succeeded(Use::Read);
            assert_eq!(breaker.failed(Use::Write, at(0)), None);
        }
        breaker.succeeded(Use::Read);
        assert_eq!(breaker.failed(Use::Write, at(0)), Some(Change::Opened));
    }

    #[test]
    fn an_open_one_sends_one_probe_a_second_and_nobody_else() {
        let mut breaker = opened_at(at(500));
        for (now, permit) in [
            (500, Permit::Skip),
            (1499, Permit::Skip),
            (1500, Permit::Probe),
            (1500, Permit::Skip),
            (2499, Permit::Skip),
            (2600, Permit::Probe),
            (3500, Permit::Skip),
            (3600, Permit::Probe),
        ] {
            assert_eq!(breaker.ask(at(now)), permit, "{now}");
        }
    }

    #[test]
    fn only_a_probe_closes_it() {
        let mut breaker = opened_at(at(0));
        breaker.succeeded(Use::Read);
        assert_eq!(breaker.failed(Use::Read, at(1)), None);
        assert!(breaker.is_open());
        assert_eq!(breaker.probe_succeeded(), Some(Change::Closed));
        assert_eq!(breaker.probe_succeeded(), None);
        assert_eq!(breaker.ask(at(2)), Permit::Go);
        // and it takes three failures again
        assert_eq!([breaker.failed(Use::Read, at(3)), breaker.failed(Use::Read, at(3))], [None, None]);
        assert_eq!(breaker.failed(Use::Read, at(3)), Some(Change::Opened));
    }
}
