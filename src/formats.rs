//! Amounts and times as people read them, in Japanese and English.

use chrono_tz::Tz;

use kernel::clock::Timestamp;
pub use kernel::currency::places;
use kernel::locale::Locale;

/// An amount, given in the currency's minor unit: `JPY 120,000` and `120,000円`, `USD 1,234.50` and `1,234.50 USD`.
pub fn amount(locale: Locale, minor: i64, currency: &str) -> String {
    let (sign, whole, fraction) = parts(minor, currency);
    let number = format!("{sign}{}{fraction}", grouped(whole));
    match (locale, currency) {
        (Locale::Ja, "JPY") => format!("{number}円"),
        (Locale::Ja, _) => format!("{number} {currency}"),
        (Locale::En, _) => format!("{currency} {number}"),
    }
}

/// The sign of an amount, its major units, and its decimals behind a point.
fn parts(minor: i64, currency: &str) -> (&'static str, u64, String) {
    let places = places(currency);
    let unit = 10_u64.pow(places.into());
    let (whole, rest) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    let width = usize::from(places);
    let fraction = if places > 0 { format!(".{rest:0width$}") } else { String::new() };
    (if minor < 0 { "-" } else { "" }, whole, fraction)
}

/// A number with a comma before every three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment in the reader's time zone, to the minute: `Mar 3, 2026, 18:00` and `2026年3月3日 18:00`. If the zone is
/// unknown, in UTC, which the text then names.
pub fn moment(locale: Locale, time: Timestamp, zone: &str) -> String {
    let (zone, said) = zone.parse::<Tz>().map_or((Tz::UTC, " UTC"), |zone| (zone, ""));
    let pattern = match locale {
        Locale::Ja => "%Y年%-m月%-d日 %H:%M",
        Locale::En => "%b %-d, %Y, %H:%M",
    };
    format!("{}{said}", time.utc().with_timezone(&zone).format(pattern))
}

/// A moment to the second, as [`moment`] writes it to the minute.
pub fn second(locale: Locale, time: Timestamp, zone: &str) -> String {
    let seconds = time.utc().format(":%S");
    format!("{}{seconds}", moment(locale, time, zone))
}

/// Titles that stand in the place of さん: 佐藤 部長 is 佐藤 部長, not 佐藤 部長 さん.
const TITLES: [&str; 32] = [
    "会長",
    "社長",
    "副社長",
    "専務",
    "常務",
    "取締役",
    "執行役員",
    "役員",
    "監査役",
    "本部長",
    "部長",
    "副部長",
    "次長",
    "課長",
    "係長",
    "主任",
    "主査",
    "室長",
    "局長",
    "所長",
    "支店長",
    "店長",
    "工場長",
    "支社長",
    "顧問",
    "先生",
    "教授",
    "博士",
    "弁護士",
    "マネージャー",
    "リーダー",
    "代表",
];

/// Forms of address that are no title.
const ADDRESSED: [&str; 7] = ["さん", "様", "さま", "殿", "氏", "君", "くん"];

/// A person's name within a sentence: in Japanese with さん, unless it has a title or a form of address already.
pub fn addressed(locale: Locale, name: &str) -> String {
    let (name, last) = (name.trim_end(), name.split_whitespace().next_back().unwrap_or_default());
    // A given name may end like a form of address of one character; a word of its own is one.
    let has_address =
        ADDRESSED.iter().any(|it| last == *it || (it.chars().count() > 1 && name.ends_with(it)));
    match locale {
        Locale::Ja if !has_address && !TITLES.iter().any(|title| name.ends_with(title)) => {
            format!("{name} さん")
        }
        _ => name.to_owned(),
    }
}

/// An amount, given in the currency's minor unit, as a number with the currency's decimals: `1234.50`.
pub fn decimal(minor: i64, currency: &str) -> String {
    let (sign, whole, fraction) = parts(minor, currency);
    format!("{sign}{whole}{fraction}")
}

/// A moment in a time zone, to the minute, as spreadsheets read it and texts are sorted: `2026-03-03 18:00` and
/// `2026/03/03 18:00`.
pub fn sortable_moment(locale: Locale, time: Timestamp, zone: Tz) -> String {
    let pattern = match locale {
        Locale::Ja => "%Y/%m/%d %H:%M",
        Locale::En => "%Y-%m-%d %H:%M",
    };
    time.utc().with_timezone(&zone).format(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::Locale::{En, Ja};
    use super::*;

    #[test]
    fn a_name_has_one_honorific() {
        for (name, expected) in [
            ("佐藤 花子", "佐藤 花子 さん"),
            ("佐藤 部長", "佐藤 部長"),
            ("佐藤部長", "佐藤部長"),
            ("山田 さん", "山田 さん"),
            ("山田さん", "山田さん"),
            ("青空商事 様", "青空商事 様"),
            ("王 昭君", "王 昭君 さん"),
            ("鈴木 先生", "鈴木 先生"),
            ("Grace Hopper", "Grace Hopper さん"),
        ] {
            assert_eq!(addressed(Locale::Ja, name), expected, "{name}");
        }
        assert_eq!(addressed(Locale::En, "佐藤 花子"), "佐藤 花子");
    }

    #[test]
    fn amounts_have_separators_and_their_currency_s_places() {
        for (minor, currency, en, ja) in [
            (0, "JPY", "JPY 0", "0円"),
            (999, "JPY", "JPY 999", "999円"),
            (120_000, "JPY", "JPY 120,000", "120,000円"),
            (123_450, "USD", "USD 1,234.50", "1,234.50 USD"),
            (5, "EUR", "EUR 0.05", "0.05 EUR"),
            (1_234_567, "KWD", "KWD 1,234.567", "1,234.567 KWD"),
            (7, "XAU", "XAU 7", "7 XAU"),
            (9_007_199_254_740_991, "JPY", "JPY 9,007,199,254,740,991", "9,007,199,254,740,991円"),
            (i64::MIN, "USD", "USD -92,233,720,368,547,758.08", "-92,233,720,368,547,758.08 USD"),
        ] {
            assert_eq!(
                (amount(En, minor, currency).as_str(), amount(Ja, minor, currency).as_str()),
                (en, ja)
            );
        }
    }

    #[test]
    fn a_file_has_amounts_and_moments_that_spreadsheets_read() {
        for (minor, currency, text) in
            [(0, "JPY", "0"), (120_000, "JPY", "120000"), (5, "EUR", "0.05"), (1_234_567, "KWD", "1234.567")]
        {
            assert_eq!(decimal(minor, currency), text);
        }
        assert_eq!(decimal(i64::MIN, "USD"), "-92233720368547758.08");
        let time = Timestamp::parse("2026-03-08T09:05:59Z").unwrap();
        assert_eq!(sortable_moment(En, time, Tz::Asia__Tokyo), "2026-03-08 18:05");
        assert_eq!(sortable_moment(Ja, time, Tz::America__New_York), "2026/03/08 05:05");
    }

    #[test]
    fn moments_stand_in_the_reader_s_zone() {
        let time = Timestamp::parse("2026-03-08T09:05:59Z").unwrap();
        for (zone, en, ja) in [
            ("Asia/Tokyo", "Mar 8, 2026, 18:05", "2026年3月8日 18:05"),
            // The day on which the clocks go forward there.
            ("America/New_York", "Mar 8, 2026, 05:05", "2026年3月8日 05:05"),
            ("UTC", "Mar 8, 2026, 09:05", "2026年3月8日 09:05"),
            ("Nowhere/Land", "Mar 8, 2026, 09:05 UTC", "2026年3月8日 09:05 UTC"),
        ] {
            assert_eq!((moment(En, time, zone).as_str(), moment(Ja, time, zone).as_str()), (en, ja));
        }
        let first = Timestamp::parse("0001-01-01T00:00:00Z").unwrap();
        assert!(moment(En, first, "America/New_York").ends_with("19:03"), "before the first year");
        let last = Timestamp::parse("9999-12-31T23:59:59Z").unwrap();
        assert_eq!(moment(En, last, "Asia/Tokyo"), "Jan 1, +10000, 08:59");
    }
}
