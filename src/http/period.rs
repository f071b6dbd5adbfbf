//! Periods of reports and statistics: whole UTC days, or moments.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use serde::{Deserialize, Deserializer, de};
use utoipa::IntoParams;

use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;

/// Days a report may span.
const DAYS_MAX: i64 = 366;
/// Days a report spans if nothing is said.
const DAYS_DEFAULT: u64 = 30;

/// The period of a report, and whose figures.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatsParams {
    /// The first day (UTC); 30 days before `to` if absent.
    #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)", example = "2026-01-01")]
    #[serde(default, deserialize_with = "day")]
    pub from: Option<NaiveDate>,
    /// The last day (UTC), included; today if absent.
    #[param(value_type = Option<String>, format = Date, pattern = "^(?!0000)", example = "2026-12-31")]
    #[serde(default, deserialize_with = "day")]
    pub to: Option<NaiveDate>,
    /// Whose figures; SALES see only their own.
    #[serde(default)]
    pub owner_id: Option<Id>,
}

/// The first and last day asked for.
///
/// # Errors
/// `invalid_parameter` when they are in the wrong order or too far apart.
pub fn days(params: &StatsParams, now: Timestamp) -> Result<(NaiveDate, NaiveDate), Error> {
    let to = params.to.unwrap_or_else(|| params.from.map_or(now.date(), |from| now.date().max(from)));
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

/// The period as moments: from the beginning of the first day to the end of the last.
///
/// # Errors
/// As [`days`].
pub fn stats_period(params: &StatsParams, now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    let (from, to) = days(params, now)?;
    Ok(moments(from, to))
}

/// From the beginning of `first` to the end of `last`, which is not within.
pub fn moments(first: NaiveDate, last: NaiveDate) -> (Timestamp, Timestamp) {
    (midnight(first), midnight(last).plus(Duration::from_hours(24)))
}

fn midnight(day: NaiveDate) -> Timestamp {
    Timestamp::try_from(day.and_time(NaiveTime::MIN).and_utc()).expect("days are within the years 1 to 9999")
}

/// Reads a day as RFC 3339 writes it, of the years 1 to 9999.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    let shaped = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
    let day = day.filter(|day| shaped && (1..=9999).contains(&day.year()));
    day.map(Some).ok_or_else(|| de::Error::custom("not a day"))
}
