//! The waits between retries: exponential, bounded, with jitter. Pure.

use std::time::Duration;

use kernel::simulation;

/// A schedule of retries (SPEC §7: 100 ms, ×2, at most 30 s, 8 retries).
///
/// ```
/// use std::time::Duration;
/// use kizuna_runtime::retry::Backoff;
///
/// let retry = Backoff { initial: Duration::from_millis(100), factor: 2.0, max: Duration::from_secs(1), times: 5 };
/// assert_eq!(retry.wait(2), Duration::from_millis(400));
/// assert_eq!(retry.wait(9), Duration::from_secs(1));
/// assert!(retry.allows(4) && !retry.allows(5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    pub initial: Duration,
    pub factor: f64,
    pub max: Duration,
    /// How many retries follow the first attempt.
    pub times: u32,
}

impl Default for Backoff {
    /// SPEC §7's schedule of consumers' retries; a server has its own by `--retry-initial` and its like.
    fn default() -> Self {
        Self { initial: Duration::from_millis(100), factor: 2.0, max: Duration::from_secs(30), times: 8 }
    }
}

impl Backoff {
    /// The wait before retry `n` (0 is the first), before jitter.
    pub fn wait(&self, n: u32) -> Duration {
        let factor = self.factor.powi(i32::try_from(n).unwrap_or(i32::MAX));
        let seconds = self.initial.as_secs_f64() * factor;
        if seconds.is_finite() {
            Duration::from_secs_f64(seconds.min(self.max.as_secs_f64()))
        } else {
            self.max
        }
    }

    /// The wait shortened by up to a fifth at random, so that callers that failed together do not retry together.
    #[expect(clippy::disallowed_methods, reason = "jitter is there to be different each time")]
    pub fn jittered(&self, n: u32) -> Duration {
        self.shortened(n, simulation::fraction().unwrap_or_else(rand::random))
    }

    /// The wait shortened by `draw` (0 to 1) of a fifth.
    fn shortened(&self, n: u32, draw: f64) -> Duration {
        self.wait(n).mul_f64(1.0 - draw / 5.0)
    }

    /// Whether retry `n` is still allowed.
    pub fn allows(&self, n: u32) -> bool {
        n < self.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: Backoff =
        Backoff { initial: Duration::from_millis(100), factor: 2.0, max: Duration::from_secs(30), times: 8 };

    #[test]
    fn waits_follow_the_seeds_spacing() {
        let waits: Vec<u128> = (0..SEED.times).map(|n| SEED.wait(n).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800]);
        assert_eq!(SEED.wait(40), SEED.max);
        assert!(SEED.allows(7) && !SEED.allows(8));
    }

    proptest! {
        #[test]
        fn jitter_only_shortens_and_by_a_fifth_at_most(n in 0_u32..2_000, draw in 0.0..1.0) {
            let wait = SEED.shortened(n, draw);
            prop_assert!(wait <= SEED.wait(n));
            prop_assert!(wait >= SEED.wait(n).mul_f64(0.799));
        }
    }
}
