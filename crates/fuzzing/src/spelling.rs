//! Days, moments, amounts and numbers as people spell them. What was read has a plain spelling, which is read as the same.

use chrono_tz::Tz;
use domain::import::record::{DateOrder, DecimalMark};
use domain::import::spelling::amount::Written;
use domain::import::spelling::{day, moment, number};
use kernel::currency::places;

use crate::is_stable;

const ORDERS: [DateOrder; 3] = [DateOrder::Ymd, DateOrder::Dmy, DateOrder::Mdy];
const CURRENCIES: [&str; 4] = ["JPY", "USD", "KWD", "CLF"];

/// An amount, a number of minutes, or percents.
pub fn amount(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for mark in [DecimalMark::Point, DecimalMark::Comma] {
        match Written::parse(text, mark) {
            Ok(written) => plain_amount(text, &written),
            Err(code) => is_stable(code),
        }
    }
    if let Some(minutes) = number::minutes(text) {
        assert!(minutes >= 0);
        assert_eq!(number::minutes(&minutes.to_string()).unwrap_or(minutes), minutes, "{text}");
    }
    if let Some(percent) = number::percent(text) {
        assert_eq!(number::percent(&percent.to_string()), Some(percent), "{text}");
    }
}

fn plain_amount(text: &str, written: &Written) {
    let digits = &written.digits;
    assert!(digits.bytes().all(|digit| digit.is_ascii_digit()) && digits.len() <= 18, "{text}: {written:?}");
    for currency in CURRENCIES {
        let minor = match written.minor(currency) {
            Ok(minor) => minor,
            Err(code) => {
                is_stable(code);
                continue;
            }
        };
        assert!(minor == 0 || (minor < 0) == written.is_negative, "{text}: {minor}");
        // The plain spelling: 1200.50.
        let places = usize::from(places(currency));
        let whole = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
        let (units, decimals) = whole.split_at(whole.len() - places);
        let sign = if minor < 0 { "-" } else { "" };
        let plain = if places == 0 { format!("{sign}{units}") } else { format!("{sign}{units}.{decimals}") };
        let again = Written::parse(&plain, DecimalMark::Point);
        let again = again.unwrap_or_else(|code| panic!("{text} as {plain}: {code}"));
        assert_eq!(again.minor(currency), Ok(minor), "{text} as {plain}");
    }
}

/// A day, a moment or a time.
pub fn moment(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for order in ORDERS {
        match day::parse(text, order) {
            Ok(found) => {
                let plain = found.to_string();
                assert_eq!(day::parse(&plain, order), Ok(found), "{text} as {plain}");
            }
            Err(code) => is_stable(code),
        }
        match moment::parse(text, order, Tz::Asia__Tokyo, moment::LAST) {
            Ok(found) => {
                let plain = found.to_string();
                let again = moment::parse(&plain, order, Tz::America__New_York, moment::FIRST);
                assert_eq!(again, Ok(found), "{text} as {plain}");
            }
            Err(code) => is_stable(code),
        }
    }
    if let Some(found) = moment::time(text) {
        let plain = found.format("%H:%M:%S").to_string();
        assert_eq!(moment::time(&plain), Some(found), "{text} as {plain}");
    }
}
