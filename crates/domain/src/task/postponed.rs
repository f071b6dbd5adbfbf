//! To when a task is put off. Pure.

use std::time::Duration;

use chrono::{Datelike, Days, TimeZone, Weekday};
use chrono_tz::Tz;

use kernel::clock::Timestamp;

/// A day to which a task is put off, seen from today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Postponement {
    Tomorrow,
    /// The next Monday that is not today.
    Monday,
    /// This day of next week.
    NextWeek,
}

impl Postponement {
    pub const ALL: [Self; 3] = [Self::Tomorrow, Self::Monday, Self::NextWeek];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tomorrow => "tomorrow",
            Self::Monday => "monday",
            Self::NextWeek => "next-week",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.as_str() == text)
    }

    /// The new due time of a task that was due at `due_at`: the same time of day, in `zone`. An hour that the clock skips that
    /// day becomes the one after it.
    pub fn of(self, due_at: Timestamp, now: Timestamp, zone: Tz) -> Timestamp {
        let today = now.utc().with_timezone(&zone).date_naive();
        let ahead = match self {
            Self::Tomorrow => 1,
            Self::Monday => 7 - u64::from(today.weekday().days_since(Weekday::Mon)),
            Self::NextWeek => 7,
        };
        let time_of_day = due_at.utc().with_timezone(&zone).time();
        let later = (0..=3).find_map(|hours| {
            let local = (today + Days::new(ahead)).and_time(time_of_day) + Duration::from_hours(hours);
            Timestamp::try_from(zone.from_local_datetime(&local).earliest()?.to_utc()).ok()
        });
        later.unwrap_or_else(|| now.plus(Duration::from_hours(24 * ahead)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_put_off_to_its_time_of_another_day_where_its_reader_is() {
        let at = |text| Timestamp::parse(text).expect("a time");
        let put_off = |due_at, now, zone, to: Postponement| to.of(at(due_at), at(now), zone).to_string();
        let (tokyo, berlin) = (Tz::Asia__Tokyo, Tz::Europe__Berlin);
        // In Tokyo it is Friday, the 27th, already.
        let (due_at, now) = ("2026-11-20T00:30:00Z", "2026-11-26T15:30:00Z");
        let put_off_to = |to| put_off(due_at, now, tokyo, to);
        assert_eq!(put_off_to(Postponement::Tomorrow), "2026-11-28T00:30:00.000000Z");
        assert_eq!(put_off_to(Postponement::Monday), "2026-11-30T00:30:00.000000Z");
        assert_eq!(put_off_to(Postponement::NextWeek), "2026-12-04T00:30:00.000000Z");
        let on_monday = put_off(due_at, "2026-11-30T03:00:00Z", tokyo, Postponement::Monday);
        assert_eq!(on_monday, "2026-12-07T00:30:00.000000Z", "not today");
        let skipped = put_off("2026-03-20T01:30:00Z", "2026-03-28T12:00:00Z", berlin, Postponement::Tomorrow);
        assert_eq!(skipped, "2026-03-29T01:30:00.000000Z", "half past two becomes half past three");
        assert!(Postponement::ALL.iter().all(|day| Postponement::parse(day.as_str()) == Some(*day)));
    }
}
