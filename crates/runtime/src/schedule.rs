//! Schedules: a fixed interval or a cron expression, in UTC. Pure.

use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use croner::Cron;

use kernel::clock::Timestamp;

/// The times at which a job is due. All nodes compute the same times.
///
/// ```
/// use kernel::clock::Timestamp;
/// use kizuna_runtime::schedule::Schedule;
///
/// let mornings = Schedule::cron("0 9 * * MON-FRI").unwrap();
/// let friday = Timestamp::parse("2026-03-06T09:00:00Z").unwrap();
/// assert_eq!(mornings.next_after(friday), Timestamp::parse("2026-03-09T09:00:00Z"));
/// // However many were missed, one run makes up for them.
/// let later = Timestamp::parse("2026-03-12T12:00:00Z").unwrap();
/// assert_eq!(mornings.due(friday, later), Timestamp::parse("2026-03-12T09:00:00Z"));
/// ```
#[derive(Clone, Debug)]
pub enum Schedule {
    /// At the multiples of this interval since 1970.
    Every(Duration),
    Cron(Box<Cron>),
}

impl Schedule {
    /// A cron expression of five fields (minute, hour, day of month, month, day of week) or, with seconds before
    /// them, six.
    ///
    /// # Errors
    /// The reason why it is invalid; also if it never occurs, as 30 February.
    pub fn cron(text: &str) -> Result<Self, String> {
        let cron: Cron = text.parse().map_err(|error: croner::errors::CronError| error.to_string())?;
        let schedule = Self::Cron(Box::new(cron));
        match schedule.next_after(Timestamp::from_micros(0)) {
            Some(_) => Ok(schedule),
            None => Err("it never occurs".into()),
        }
    }

    /// The first occurrence after this time; `None` if there is none.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => {
                let next = self.at_or_before(moment)?.plus(*interval);
                (next > moment).then_some(next)
            }
            Self::Cron(cron) => occurrence(cron.find_next_occurrence(&whole_second(moment), false)),
        }
    }

    /// The last occurrence at or before this time; `None` if there is none.
    pub fn at_or_before(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => {
                let micros = i64::try_from(interval.as_micros()).ok().filter(|micros| *micros > 0)?;
                let begun = moment.micros().div_euclid(micros).checked_mul(micros)?;
                Timestamp::try_from(DateTime::from_timestamp_micros(begun)?).ok()
            }
            Self::Cron(cron) => occurrence(cron.find_previous_occurrence(&whole_second(moment), true)),
        }
    }

    /// The occurrence that is due at `now` if `last` was the last one: the latest since then, however many were missed.
    pub fn due(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.at_or_before(now).filter(|occurrence| *occurrence > last)
    }
}

/// Cron has whole seconds: this time, rounded down.
fn whole_second(moment: Timestamp) -> DateTime<Utc> {
    moment.utc().with_nanosecond(0).expect("zero is a valid fraction")
}

fn occurrence(found: Result<DateTime<Utc>, croner::errors::CronError>) -> Option<Timestamp> {
    Timestamp::try_from(found.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn every(seconds: u64) -> Schedule {
        Schedule::Every(Duration::from_secs(seconds))
    }

    fn cron(text: &str) -> Schedule {
        Schedule::cron(text).expect("a cron expression")
    }

    #[rstest]
    #[case::interval(every(300), "2026-03-02T09:00:00Z", "2026-03-02T09:05:00Z")]
    #[case::interval_of_a_week(every(7 * 86_400), "2026-02-26T00:00:00Z", "2026-03-05T00:00:00Z")]
    #[case::every_five_minutes(cron("*/5 * * * *"), "2026-03-02T09:00:00Z", "2026-03-02T09:05:00Z")]
    #[case::working_days(cron("0 9 * * MON-FRI"), "2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z")]
    #[case::seconds(cron("30 */5 * * * *"), "2026-03-02T08:55:30Z", "2026-03-02T09:00:30Z")]
    #[case::leap_days(cron("0 0 29 2 *"), "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z")]
    fn occurrences_are_found_around_a_moment(
        #[case] schedule: Schedule,
        #[case] before: &str,
        #[case] after: &str,
    ) {
        let moment = at("2026-03-02T09:00:00.25Z");
        assert_eq!(schedule.at_or_before(moment), Some(at(before)));
        assert_eq!(schedule.next_after(moment), Some(at(after)));
        assert_eq!(schedule.at_or_before(at(before)), Some(at(before)), "itself is included");
        assert_eq!(schedule.next_after(at(before)), Some(at(after)), "itself is not");
    }

    #[test]
    fn what_was_missed_is_one_occurrence() {
        let (last, now) = (at("2026-03-02T09:00:00Z"), at("2026-03-02T11:59:00Z"));
        for schedule in [every(300), cron("*/5 * * * *")] {
            assert_eq!(schedule.due(last, now), Some(at("2026-03-02T11:55:00Z")));
            assert_eq!(schedule.due(at("2026-03-02T11:55:00Z"), now), None);
            assert_eq!(schedule.due(now, last), None, "a clock that was put back");
        }
    }

    #[test]
    fn expressions_that_mean_nothing_are_refused() {
        for text in ["", "*", "* * * *", "60 * * * *", "*/0 * * * *", "often", "0 0 30 2 *", "0 0 31 4,6 *"] {
            assert!(Schedule::cron(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn there_is_nothing_between_an_occurrence_and_the_next(
            seconds in 1_u64..10_000_000,
            micros in 1_000_000_000_000_000_i64..4_000_000_000_000_000,
            expression in prop::sample::select(vec!["*/7 * * * *", "0 3 * * 1", "15 10 1 */2 *", "* * * * * *"]),
        ) {
            let moment = Timestamp::from_micros(micros);
            for schedule in [every(seconds), cron(expression)] {
                let next = schedule.next_after(moment).expect("these never end");
                prop_assert!(next > moment);
                let before = schedule.at_or_before(moment).expect("these have begun");
                prop_assert!(before <= moment);
                prop_assert_eq!(schedule.next_after(before), Some(next));
                let just_before = Timestamp::from_micros(next.micros() - 1);
                prop_assert_eq!(schedule.at_or_before(just_before), Some(before));
            }
        }
    }
}
