//! How many failed sign-ins are allowed in how much time. Pure.

use std::time::Duration;

/// The longest delay after failures of strangers.
const DELAY_MAX: Duration = Duration::from_mins(5);

/// A number of attempts per time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

impl Rate {
    /// `times` as many attempts in the same time.
    pub fn times(self, times: u32) -> Self {
        Self { count: self.count.saturating_mul(times), ..self }
    }

    /// Microseconds in which one attempt is regained.
    pub fn interval(self) -> i64 {
        (self.per.as_micros() as i64 / i64::from(self.count.max(1))).max(1)
    }

    pub fn micros(self) -> i64 {
        self.per.as_micros() as i64
    }

    /// GCRA: `full_at` (microseconds since 1970) is when a bucket is full again; returns that moment after one more
    /// attempt.
    ///
    /// # Errors
    /// If the bucket is empty: how long until the next attempt.
    pub fn taken(self, full_at: i64, now: i64) -> Result<i64, Duration> {
        let full_at = full_at.max(now) + self.interval();
        let excess = full_at - now - self.micros();
        if excess > 0 { Err(Duration::from_micros(excess as u64)) } else { Ok(full_at) }
    }

    /// How long after the last of so many failures strangers wait: not at all for as many as the rate allows, then one
    /// interval, and twice as long with each further failure.
    pub(super) fn delay(self, failures: i64) -> Duration {
        let beyond = failures - i64::from(self.count);
        if beyond <= 0 {
            return Duration::ZERO;
        }
        let doublings = u32::try_from(beyond - 1).unwrap_or(u32::MAX).min(32);
        let delay =
            Duration::from_micros(self.interval() as u64).saturating_mul(2_u32.saturating_pow(doublings));
        delay.min(DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate { count: 10, per: Duration::from_secs(60) };

    fn at(seconds: i64) -> i64 {
        1_000_000_000_000_000 + seconds * 1_000_000
    }

    #[test]
    fn ten_failures_a_minute_and_then_one_every_six_seconds() {
        let mut bucket = 0;
        for _ in 0..10 {
            bucket = TEN.taken(bucket, at(0)).unwrap();
        }
        assert_eq!(TEN.taken(bucket, at(0)), Err(Duration::from_secs(6)));
        bucket = TEN.taken(bucket, at(6)).unwrap();
        assert!(TEN.taken(bucket, at(6)).is_err());
        for _ in 0..10 {
            bucket = TEN.taken(bucket, at(66)).expect("never a lock");
        }
    }

    #[test]
    fn the_delay_of_strangers_grows_and_has_an_end() {
        let delays: Vec<u64> = [0, 10, 11, 12, 13, 16, 17, 1_000_000, i64::MAX]
            .map(|failures| TEN.delay(failures).as_secs())
            .to_vec();
        assert_eq!(delays, [0, 0, 6, 12, 24, 192, 300, 300, 300]);
    }
}
