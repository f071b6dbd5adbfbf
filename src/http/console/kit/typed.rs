//! How what is typed becomes what the API takes, and the other way round.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use serde_json::Value;

use crate::formats;
use crate::http::console::kit::field::{Field, Kind};
use kernel::clock::Timestamp;
use kernel::error::FieldError;

/// What a form says besides a field itself.
pub struct Around<'a> {
    /// The user's time zone.
    pub zone: Tz,
    /// The currency that is chosen.
    pub currency: &'a str,
}

/// What was typed into a field, as the API writes it; `None` for what does not matter.
///
/// # Errors
/// What is wrong with its shape.
pub fn json(field: &Field, typed: &str, around: &Around<'_>) -> Result<Option<Value>, FieldError> {
    let fault = |code| Err(FieldError::new(field.name, code));
    if let Some(code) = field.searched().and_then(|search| search.fault) {
        return fault(code);
    }
    let is_text = matches!(field.kind, Kind::Line(_) | Kind::Area);
    if typed.trim().is_empty() {
        return match field.required {
            // The services say what they say of an empty text.
            true if is_text => Ok(Some(typed.into())),
            true => fault("required"),
            false => Ok(Some(Value::Null)),
        };
    }
    match field.kind {
        Kind::Number => {
            whole(typed).map_or_else(|| fault("invalid_number"), |number| Ok(Some(number.into())))
        }
        Kind::Amount => match amount(typed, around.currency) {
            Ok(minor) => Ok(Some(minor.into())),
            Err(NotAnAmount::Places(places)) => {
                Err(FieldError::limit(field.name, "too_many_decimals", places.into()))
            }
            Err(NotAnAmount::Shape) => fault("invalid_amount"),
        },
        Kind::Moment => match moment(typed, around.zone) {
            Some(time) => Ok(Some(time.to_string().into())),
            None => fault("invalid_time"),
        },
        Kind::Day => Ok(Some(typed.trim().into())),
        Kind::Line(_) | Kind::Area | Kind::Choice(_) | Kind::Search(_) => Ok(Some(typed.into())),
    }
}

/// What a text means with its wide forms (U+FF0B to U+FF19) narrow: people type digits as their keyboard does.
fn narrow(text: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        '，' | '、' => ',',
        '．' | '。' => '.',
        '－' | '−' => '-',
        '＋' => '+',
        _ => c,
    };
    text.trim().chars().map(narrow).collect()
}

/// A whole number, perhaps with commas.
fn whole(typed: &str) -> Option<i64> {
    narrow(typed).replace(',', "").parse().ok()
}

/// Why a text is no amount of a currency.
#[derive(Debug, PartialEq, Eq)]
pub enum NotAnAmount {
    Shape,
    /// It has more decimals than the currency, which has so many.
    Places(u8),
}

/// An amount as people write it, in major units, in minor units: `1,250.00` USD is 125000. Commas stand before three
/// digits each, so that `12,50` is not taken for twelve hundred and fifty.
///
/// # Errors
/// `NotAnAmount`.
pub fn amount(typed: &str, currency: &str) -> Result<i64, NotAnAmount> {
    let text: String = narrow(typed).chars().filter(|c| !c.is_whitespace()).collect();
    let text = match currency {
        "JPY" => text.trim_start_matches(['¥', '￥']).trim_end_matches('円'),
        _ => text.as_str(),
    };
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(decimals) || !is_grouped(whole) {
        return Err(NotAnAmount::Shape);
    }
    let places = formats::places(currency);
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > usize::from(places) {
        return Err(NotAnAmount::Places(places));
    }
    let minor = format!("{}{decimals:0<width$}", whole.replace(',', ""), width = usize::from(places));
    minor.parse::<i64>().map(|minor| sign * minor).map_err(|_| NotAnAmount::Shape)
}

/// Whether there are digits alone, or three behind every comma.
fn is_grouped(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut has_more = false;
    let are_three = groups.all(|group| {
        has_more = true;
        group.len() == 3 && is_digits(group)
    });
    is_digits(first) && are_three && (!has_more || first.len() <= 3)
}

/// Reads what a browser makes of `<input type="datetime-local">`. An hour that the clock skips gives `None`; of one
/// that comes twice the first is meant.
pub fn moment(typed: &str, zone: Tz) -> Option<Timestamp> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(typed, format).ok())?;
    let time = zone.from_local_datetime(&local).earliest()?;
    Timestamp::try_from(time.to_utc()).ok()
}

/// What such an input shows.
pub fn local(time: Timestamp, zone: Tz) -> String {
    time.utc().with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_a_clock_skips_is_no_time() {
        assert!(moment("2026-03-29T02:30", Tz::Europe__Berlin).is_none());
        assert!(moment("2026-10-25T02:30", Tz::Europe__Berlin).is_some());
        let time = moment("2026-03-02T18:30", Tz::Asia__Tokyo).unwrap();
        assert_eq!(local(time, Tz::Asia__Tokyo), "2026-03-02T18:30");
    }

    #[test]
    fn an_amount_is_what_people_mean_by_it() {
        for (typed, currency, minor) in [
            ("120,000", "JPY", 120_000),
            ("￥1,200円", "JPY", 1_200),
            ("1250.00", "JPY", 1_250),
            ("1250", "USD", 125_000),
            ("1,250.00", "USD", 125_000),
            (" 1 250.5 ", "USD", 125_050),
            ("１２，３４５．６", "EUR", 1_234_560),
            ("1.234", "KWD", 1_234),
            ("-3", "EUR", -300),
            ("90071992547409.91", "USD", 9_007_199_254_740_991),
        ] {
            assert_eq!(amount(typed, currency), Ok(minor), "{typed} {currency}");
        }
    }

    #[test]
    fn what_may_mean_two_amounts_is_none() {
        for typed in
            ["12,50", "1.250,00", "1,2,3", ",5", ".5", "1e3", "$5", "５円", "", "-", "0x10", "1,0000"]
        {
            assert_eq!(amount(typed, "USD"), Err(NotAnAmount::Shape), "{typed}");
        }
        assert_eq!(amount("99999999999999999999", "USD"), Err(NotAnAmount::Shape));
        assert_eq!(amount("1.001", "USD"), Err(NotAnAmount::Places(2)));
        assert_eq!(amount("0.5", "JPY"), Err(NotAnAmount::Places(0)));
    }
}
