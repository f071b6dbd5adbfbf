//! How a period is put together from the buckets of tallies.

use std::time::Duration;

use kernel::clock::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// Days begin at a multiple of it in every time zone.
const QUARTER: Duration = Duration::from_mins(15);

/// The parts of a period.
#[derive(Debug, PartialEq, Eq)]
pub struct Period {
    /// Ranges of buckets: from the first up to but not including the second.
    pub buckets: Vec<(String, String)>,
    /// The time that all buckets have together: from the first moment up to but not including the second.
    pub whole: (Option<Timestamp>, Option<Timestamp>),
    /// What no bucket has: before the first quarter of an hour, and after the last.
    pub rests: Vec<(Timestamp, Timestamp)>,
}

impl Period {
    /// From `from` up to but not including `to`.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let mut period = Self { buckets: Vec::new(), whole: (None, None), rests: Vec::new() };
        if from.is_none() && to.is_none() {
            period.buckets.push(("E".to_owned(), "F".to_owned()));
            return period;
        }
        let first = from.map(|from| ceiling(from, QUARTER));
        let last = to.map(|to| floor(to, QUARTER));
        if let (Some(from), Some(to), Some(first), Some(last)) = (from, to, first, last)
            && first >= last
        {
            period.rest(from, to);
            return period;
        }
        if let (Some(from), Some(first)) = (from, first) {
            period.rest(from, first);
        }
        period.whole = (first, last);
        let days = (first.map(|first| ceiling(first, DAY)), last.map(|last| floor(last, DAY)));
        match (first, days, last) {
            (Some(first), (Some(morning), Some(evening)), Some(last)) if morning > evening => {
                period.quarters(first, last);
            }
            (first, (morning, evening), last) => {
                if let (Some(first), Some(morning)) = (first, morning) {
                    period.quarters(first, morning);
                }
                let begin = morning.map_or("D".to_owned(), day);
                period.range(begin, evening.map_or("E".to_owned(), day));
                if let (Some(evening), Some(last)) = (evening, last) {
                    period.quarters(evening, last);
                }
            }
        }
        if let (Some(last), Some(to)) = (last, to) {
            period.rest(last, to);
        }
        period
    }

    /// Whether it has no time at all.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.rests.is_empty()
    }

    fn rest(&mut self, from: Timestamp, to: Timestamp) {
        if from < to {
            self.rests.push((from, to));
        }
    }

    fn quarters(&mut self, from: Timestamp, to: Timestamp) {
        self.range(quarter(from), quarter(to));
    }

    fn range(&mut self, begin: String, end: String) {
        if begin < end {
            self.buckets.push((begin, end));
        }
    }
}

fn floor(time: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_micros()).expect("a day at most");
    Timestamp::from_micros(time.micros().div_euclid(step) * step)
}

/// The end of time, if it lies before the next step.
fn ceiling(time: Timestamp, step: Duration) -> Timestamp {
    let before = floor(time, step);
    if before == time { time } else { before.plus(step) }
}

/// Whether a moment is no beginning of a bucket, but the end of time.
fn is_end(time: Timestamp) -> bool {
    floor(time, QUARTER) != time
}

fn day(time: Timestamp) -> String {
    if is_end(time) { "D~".to_owned() } else { format!("D{}", &time.to_string()[..10]) }
}

fn quarter(time: Timestamp) -> String {
    if is_end(time) { "Q~".to_owned() } else { format!("Q{}", &time.to_string()[..16]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(Timestamp::parse(text).unwrap())
    }

    fn buckets(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
        let Period { buckets, rests, .. } = Period::new(from, to);
        let buckets = buckets.into_iter().map(|(begin, end)| format!("{begin}..{end}"));
        let rests = rests.into_iter().map(|(begin, end)| format!("{begin} {end}"));
        buckets.chain(rests).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_period_is_days_and_the_quarters_before_and_after_them() {
        assert_eq!(buckets(None, None), "E..F");
        let (from, to) = (at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
        assert_eq!(buckets(from, to), "D2026-03-01..D2026-04-01");
        let tokyo = (at("2026-02-28T15:00:00Z"), at("2026-03-31T15:00:00Z"));
        assert_eq!(
            buckets(tokyo.0, tokyo.1),
            "Q2026-02-28T15:00..Q2026-03-01T00:00, D2026-03-01..D2026-03-31, Q2026-03-31T00:00..Q2026-03-31T15:00"
        );
        let hour = (at("2026-02-28T15:00:00Z"), at("2026-02-28T16:00:00Z"));
        assert_eq!(buckets(hour.0, hour.1), "Q2026-02-28T15:00..Q2026-02-28T16:00");
        let night = (at("2026-02-28T23:00:00Z"), at("2026-03-01T01:00:00Z"));
        assert_eq!(
            buckets(night.0, night.1),
            "Q2026-02-28T23:00..Q2026-03-01T00:00, Q2026-03-01T00:00..Q2026-03-01T01:00"
        );
    }

    #[test]
    fn the_buckets_have_one_time_together() {
        let whole = Period::new(at("2026-02-28T15:01:00Z"), at("2026-03-02T01:16:00Z")).whole;
        assert_eq!(whole, (at("2026-02-28T15:15:00Z"), at("2026-03-02T01:15:00Z")));
        assert_eq!(Period::new(None, at("2026-03-02T01:16:00Z")).whole, (None, at("2026-03-02T01:15:00Z")));
    }

    #[test]
    fn what_no_quarter_has_is_left() {
        let within = (at("2026-02-28T15:01:00Z"), at("2026-02-28T15:14:00Z"));
        assert_eq!(buckets(within.0, within.1), "2026-02-28T15:01:00.000000Z 2026-02-28T15:14:00.000000Z");
        let over = (at("2026-02-28T15:01:00Z"), at("2026-02-28T15:29:00Z"));
        assert_eq!(buckets(over.0, over.1), "2026-02-28T15:01:00.000000Z 2026-02-28T15:29:00.000000Z");
        assert_eq!(
            buckets(None, at("2026-02-28T15:01:00Z")),
            "D..D2026-02-28, Q2026-02-28T00:00..Q2026-02-28T15:00, 2026-02-28T15:00:00.000000Z 2026-02-28T15:01:00.000000Z"
        );
        assert_eq!(
            buckets(at("2026-02-28T15:00:00Z"), None),
            "Q2026-02-28T15:00..Q2026-03-01T00:00, D2026-03-01..E"
        );
        assert_eq!(buckets(within.1, within.0), "", "an end before the beginning");
        assert_eq!(buckets(at("9999-12-31T23:45:00Z"), None), "Q9999-12-31T23:45..Q~, D~..E");
    }
}
