//! The cluster's clock: PostgreSQL's, as this node has read it. Nodes compare times by it, because their own clocks may
//! differ, and because the clock of Redis is whatever somebody who controls Redis sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A time by the cluster's clock, in microseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterTime(pub i64);

impl ClusterTime {
    /// The time after this duration.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The duration until `other`; zero if that is past.
    pub fn until(self, other: Self) -> Duration {
        Duration::from_micros(u64::try_from(other.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

/// The cluster's clock; clones share what is known of it.
#[derive(Clone, Debug)]
pub struct ClusterClock {
    begun: Instant,
    /// PostgreSQL's time at `begun`, in microseconds since 1970; 0 if it is not read yet.
    offset: Arc<AtomicI64>,
}

impl Default for ClusterClock {
    fn default() -> Self {
        Self { begun: Instant::now(), offset: Arc::default() }
    }
}

impl ClusterClock {
    /// The present time; `None` before it was read.
    pub fn now(&self) -> Option<ClusterTime> {
        let offset = self.offset.load(Ordering::Relaxed);
        (offset != 0).then(|| ClusterTime(offset).plus(self.begun.elapsed()))
    }

    /// Takes over the time that PostgreSQL has just returned to a query that was sent at `asked`. It is taken as the time
    /// in the middle of the round trip.
    pub fn learn(&self, now: ClusterTime, asked: Instant) {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        // A clock may be younger than the question, so the difference may be negative.
        let elapsed = micros(self.begun.elapsed()) - micros(asked.elapsed() / 2);
        self.offset.store(now.0.saturating_sub(elapsed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_unknown_until_it_was_read_and_goes_on_from_there() {
        let clock = ClusterClock::default();
        assert_eq!(clock.now(), None);
        let read = ClusterTime(1_764_068_400_000_005);
        clock.learn(read, Instant::now());
        let since = read.until(clock.now().expect("a time"));
        assert!(since < Duration::from_secs(1), "{since:?}");
        clock.learn(ClusterTime(i64::MAX), Instant::now());
        assert!(clock.now().is_some(), "nothing overflows");
        let Some(earlier) = Instant::now().checked_sub(Duration::from_secs(8)) else { return };
        clock.learn(read, earlier);
        let since = read.until(clock.now().expect("a time"));
        assert!((3..5).contains(&since.as_secs()), "half of the round trip has passed: {since:?}");
    }

    #[test]
    fn time_saturates() {
        assert_eq!(ClusterTime(i64::MAX).plus(Duration::MAX), ClusterTime(i64::MAX));
        assert_eq!(ClusterTime(i64::MAX).until(ClusterTime(i64::MIN)), Duration::ZERO);
        assert_eq!(ClusterTime(5).until(ClusterTime(7)), Duration::from_micros(2));
    }
}
