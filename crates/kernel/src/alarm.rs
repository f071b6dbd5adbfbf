//! How often the log says what happens again and again. Pure: the caller passes the time in.

use std::time::{Duration, Instant};

/// The least time between two lines.
pub const EVERY: Duration = Duration::from_secs(10);

/// Reports at once, and then at most every ten seconds.
#[derive(Debug, Default)]
pub struct Alarm {
    last: Option<Instant>,
    /// What happened since.
    silent: u64,
}

impl Alarm {
    /// Counts one more. If a line is due, the number since the last line.
    pub fn due(&mut self, now: Instant) -> Option<u64> {
        self.silent += 1;
        if self.last.is_some_and(|last| now.duration_since(last) < EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_line_now_and_then_that_says_how_many() {
        let (mut alarm, begun) = (Alarm::default(), Instant::now());
        assert_eq!(alarm.due(begun), Some(1));
        for _ in 0..1_000 {
            assert_eq!(alarm.due(begun + EVERY / 2), None);
        }
        assert_eq!(alarm.due(begun + EVERY), Some(1_001));
    }
}
