//! Periods of reports and statistics: whole days of a time zone, or moments.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de};
use utoipa::IntoParams;

use domain::report::messages::ReportDay;
use domain::user::record::User;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::text_schemas;

/// Days a report may span.
const DAYS_MAX: i64 = 366;
/// Days a report spans if nothing is said.
const DAYS_DEFAULT: u64 = 30;
/// So many quarters of an hour a zone skips at once, at most: Samoa left out a whole day.
const QUARTERS_SKIPPED: i64 = 96;

/// The period of a report, and whose figures.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatsParams {
    /// The first day; 30 days before `to` if absent.
    #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)", example = "2026-01-01")]
    #[serde(default, deserialize_with = "day")]
    pub from: Option<NaiveDate>,
    /// The last day, included; today if absent.
    #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)", example = "2026-12-31")]
    #[serde(default, deserialize_with = "day")]
    pub to: Option<NaiveDate>,
    /// Whose figures; SALES see only their own.
    #[serde(default)]
    pub owner_id: Option<Id>,
    /// The time zone whose days they are, by its IANA name; the caller's if absent.
    #[param(value_type = Option<text_schemas::TimeZone>, example = "Asia/Tokyo")]
    #[serde(default, deserialize_with = "zone")]
    pub time_zone: Option<Tz>,
}

impl StatsParams {
    /// The zone whose days are meant: the one asked for, else the user's.
    pub fn zone(&self, user: &User) -> Tz {
        self.time_zone.or_else(|| user.time_zone.parse().ok()).unwrap_or(Tz::UTC)
    }
}

/// The first and last day asked for, of a zone.
///
/// # Errors
/// `invalid_parameter` when they are in the wrong order or too far apart.
pub fn days(params: &StatsParams, zone: Tz, now: Timestamp) -> Result<(NaiveDate, NaiveDate), Error> {
    let today = today(zone, now);
    let to = params.to.unwrap_or_else(|| params.from.map_or(today, |from| today.max(from)));
    let before = || to.checked_sub_days(Days::new(DAYS_DEFAULT)).filter(|day| day.year() > 0);
    let from = params.from.or_else(before).unwrap_or(to);
    if from > to {
        return Err(Error::parameter("to", "before_from"));
    }
    if (to - from).num_days() >= DAYS_MAX {
        let fault = FieldError::limit("from", "range_too_long", DAYS_MAX);
        return Err(Error { fields: vec![fault], ..Error::new(ErrorCode::InvalidParameter) });
    }
    Ok((from, to))
}

/// The day of a zone at a moment.
pub fn today(zone: Tz, now: Timestamp) -> NaiveDate {
    now.utc().with_timezone(&zone).date_naive()
}

/// The period as moments: from the beginning of the first day to the end of the last.
///
/// # Errors
/// As [`days`].
pub fn stats_period(params: &StatsParams, zone: Tz, now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    let (from, to) = days(params, zone, now)?;
    Ok(moments(from, to, zone))
}

/// From the beginning of `first` to the end of `last`, which is not within.
pub fn moments(first: NaiveDate, last: NaiveDate, zone: Tz) -> (Timestamp, Timestamp) {
    (beginning(first, zone), end(last, zone))
}

/// Each day from `first` to `last`, both included.
pub fn each_day(first: NaiveDate, last: NaiveDate, zone: Tz) -> Vec<ReportDay> {
    let days = first.iter_days().take_while(|date| *date <= last);
    days.map(|date| ReportDay { date, begin: beginning(date, zone), end: end(date, zone) }).collect()
}

fn end(day: NaiveDate, zone: Tz) -> Timestamp {
    day.succ_opt().map_or_else(latest, |next| beginning(next, zone))
}

/// The first moment of a day: midnight, or what the clock shows next where it skips midnight. Of a midnight that comes
/// twice it is the first.
fn beginning(day: NaiveDate, zone: Tz) -> Timestamp {
    let midnight = day.and_time(NaiveTime::MIN);
    let later = |quarters: i64| midnight + TimeDelta::minutes(15 * quarters);
    let first = (0..=QUARTERS_SKIPPED).find_map(|it| zone.from_local_datetime(&later(it)).earliest());
    let utc = first.map_or_else(|| midnight.and_utc(), |time| time.to_utc());
    // A zone may be ahead of the first day of all times, or behind the last.
    Timestamp::try_from(utc).unwrap_or_else(|_| match day.year() {
        ..=1 => Timestamp::try_from(midnight.and_utc()).unwrap_or(Timestamp::from_micros(0)),
        _ => latest(),
    })
}

/// The last moment of all times.
fn latest() -> Timestamp {
    Timestamp::from_micros(0).plus(Duration::MAX)
}

/// Reads the name of a zone.
fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tz>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| de::Error::custom("not a time zone"))
}

/// Reads a day as RFC 3339 writes it, of the years 1 to 9999.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    parse_day(&text).map(Some).ok_or_else(|| de::Error::custom("not a day"))
}

/// A day as RFC 3339 writes it, of the years 1 to 9999.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    Day::parse(text).map(Day::date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        for (day, zone, begins, ends) in [
            ("2026-03-02", Tz::UTC, "2026-03-02T00:00:00", "2026-03-03T00:00:00"),
            ("2026-03-02", Tz::Asia__Tokyo, "2026-03-01T15:00:00", "2026-03-02T15:00:00"),
            ("2026-03-02", Tz::Asia__Kathmandu, "2026-03-01T18:15:00", "2026-03-02T18:15:00"),
            // 23 hours, and 25.
            ("2026-03-29", Tz::Europe__Berlin, "2026-03-28T23:00:00", "2026-03-29T22:00:00"),
            ("2026-10-25", Tz::Europe__Berlin, "2026-10-24T22:00:00", "2026-10-25T23:00:00"),
            // The clock goes from midnight to one.
            ("2026-04-24", Tz::Africa__Cairo, "2026-04-23T22:00:00", "2026-04-24T21:00:00"),
        ] {
            let [one]: [ReportDay; 1] = each_day(date(day), date(day), zone).try_into().expect("one day");
            let at = |text: &str| Timestamp::parse(&format!("{text}Z")).unwrap();
            assert_eq!((one.begin, one.end), (at(begins), at(ends)), "{day} in {zone}");
        }
    }

    #[test]
    fn today_is_the_reader_s() {
        let night = Timestamp::parse("2026-03-01T15:30:00Z").unwrap();
        assert_eq!(today(Tz::Asia__Tokyo, night), date("2026-03-02"));
        assert_eq!(today(Tz::UTC, night), date("2026-03-01"));
    }

    #[test]
    fn the_first_and_the_last_day_of_all_times_have_an_end() {
        for day in ["0001-01-01", "9999-12-31"] {
            for zone in [Tz::Asia__Tokyo, Tz::America__New_York] {
                let (begin, end) = moments(date(day), date(day), zone);
                assert!(begin < end, "{day} in {zone}");
            }
        }
    }
}
