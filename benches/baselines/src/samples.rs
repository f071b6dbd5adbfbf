//! Durations of one run, and the line printed for them.

use std::time::{Duration, Instant};

/// How long each operation of a run took.
#[derive(Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Runs `operation` again and again until `deadline`, timing each.
    pub fn collect<E>(deadline: Instant, mut operation: impl FnMut() -> Result<(), E>) -> Result<Self, E> {
        let mut durations = Vec::new();
        let mut before = Instant::now();
        while before < deadline {
            operation()?;
            let after = Instant::now();
            durations.push(after - before);
            before = after;
        }
        Ok(Self(durations))
    }

    /// Puts another thread's samples to these.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `<per second> <p50 ms> <p99 ms>` of a run that took `elapsed`.
    pub fn report(mut self, elapsed: Duration) -> String {
        self.0.sort_unstable();
        let rate = self.0.len() as f64 / elapsed.as_secs_f64();
        format!("{rate:.1} {:.3} {:.3}", self.percentile(50), self.percentile(99))
    }

    /// The nearest-rank percentile in milliseconds; the samples are sorted already.
    fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let samples = Samples((1..=200).map(Duration::from_millis).collect());
        assert_eq!(samples.report(Duration::from_secs(2)), "100.0 100.000 198.000");
    }

    #[test]
    fn a_run_without_samples_reports_zeros() {
        assert_eq!(Samples::default().report(Duration::from_secs(1)), "0.0 0.000 0.000");
    }
}
