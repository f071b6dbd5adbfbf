//! How long a body may take to arrive. Pure.

use std::time::Duration;

/// The bounds of time of a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyPace {
    /// The most time for all of it.
    pub total: Duration,
    /// The least bytes a second, once a sixth of that time has passed.
    pub rate: u32,
}

impl BodyPace {
    /// How long after the beginning the next bytes must be there, if `length` bytes are.
    pub fn time_for(&self, length: usize) -> Duration {
        let earned = Duration::from_secs_f64(length as f64 / f64::from(self.rate.max(1)));
        self.total.min(self.total / 6 + earned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_five_seconds_and_one_more_for_each_kib_up_to_thirty() {
        let pace = BodyPace { total: Duration::from_secs(30), rate: 1024 };
        for (length, seconds) in [(0, 5), (1024, 6), (10 * 1024, 15), (25 * 1024, 30), (256 * 1024, 30)] {
            assert_eq!(pace.time_for(length), Duration::from_secs(seconds), "{length}");
        }
    }
}
