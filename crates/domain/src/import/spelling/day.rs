//! Days: `2026/11/5`, `2026年11月5日`, `令和8年11月5日`, `R8.11.5`, `5 Nov 2026`; `5/11/2026` where its order is known.

use chrono::NaiveDate;

use crate::import::record::DateOrder;
use crate::import::spelling::scan::{Scan, folded};
use kernel::day::Day;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What stands between the parts of a day.
const SEPARATORS: [char; 3] = ['/', '-', '.'];

/// An era of Japan: its first year, first day and last day.
#[derive(Clone, Copy)]
struct Era {
    first_year: i32,
    from: (i32, u32, u32),
    to: (i32, u32, u32),
}

// Japan counts days as the West does since 1873.
const MEIJI: Era = Era { first_year: 1868, from: (1873, 1, 1), to: (1912, 7, 30) };
const TAISHO: Era = Era { first_year: 1912, from: (1912, 7, 30), to: (1926, 12, 25) };
const SHOWA: Era = Era { first_year: 1926, from: (1926, 12, 25), to: (1989, 1, 7) };
const HEISEI: Era = Era { first_year: 1989, from: (1989, 1, 8), to: (2019, 4, 30) };
const REIWA: Era = Era { first_year: 2019, from: (2019, 5, 1), to: (9999, 12, 31) };

const ERAS: [(&str, Era); 10] = [
    ("明治", MEIJI),
    ("大正", TAISHO),
    ("昭和", SHOWA),
    ("平成", HEISEI),
    ("令和", REIWA),
    ("m", MEIJI),
    ("t", TAISHO),
    ("s", SHOWA),
    ("h", HEISEI),
    ("r", REIWA),
];

impl Era {
    fn day(self, year: u32, month: u32, day: u32) -> Option<NaiveDate> {
        let year = self.first_year + i32::try_from(year.checked_sub(1)?).ok()?;
        let found = NaiveDate::from_ymd_opt(year, month, day)?;
        let of = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day);
        (of(self.from)? <= found && found <= of(self.to)?).then_some(found)
    }
}

/// The day of a text.
///
/// # Errors
/// `date_order_needed` if only its order is unknown, else `invalid_day`.
pub fn parse(text: &str, order: DateOrder) -> Result<Day, &'static str> {
    let folded = folded(text);
    let whole = |read: Option<(NaiveDate, Scan)>| {
        let (day, mut rest) = read?;
        weekday(&mut rest);
        rest.is_at_end().then_some(day).and_then(Day::of)
    };
    let scan = Scan(&folded);
    let read = whole(year_first(scan)).or_else(|| whole(of_era(scan))).or_else(|| whole(of_month(scan)));
    if let Some(day) = read {
        return Ok(day);
    }
    match (numbers(scan), order) {
        (None, _) => Err("invalid_day"),
        (Some(_), DateOrder::Ymd) => Err("date_order_needed"),
        (Some((first, second, year)), order) => {
            let (month, day) = if order == DateOrder::Mdy { (first, second) } else { (second, first) };
            NaiveDate::from_ymd_opt(year, month, day).and_then(Day::of).ok_or("invalid_day")
        }
    }
}

/// `2026/11/5`, `2026-11-05`, `2026年11月5日`, `20261105`.
fn year_first(mut scan: Scan) -> Option<(NaiveDate, Scan)> {
    let mut compact = scan;
    if let Some(digits) = compact.number(8, 8) {
        return Some((date(digits / 10_000, digits / 100 % 100, digits % 100)?, compact));
    }
    let year = scan.number(4, 4)?;
    let (month, day) = rest(&mut scan)?;
    Some((date(year, month, day)?, scan))
}

fn date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// What follows a year: `/11/5`, `年11月5日`.
fn rest(scan: &mut Scan) -> Option<(u32, u32)> {
    scan.blanks();
    if scan.text("年").is_some() {
        scan.blanks();
        let month = scan.number(1, 2)?;
        scan.blanks();
        scan.text("月")?;
        scan.blanks();
        let day = scan.number(1, 2)?;
        scan.blanks();
        scan.text("日")?;
        return Some((month, day));
    }
    let sign = scan.sign(&SEPARATORS)?;
    let month = scan.number(1, 2)?;
    scan.sign(&[sign])?;
    Some((month, scan.number(1, 2)?))
}

/// `令和8年11月5日`, `令和元年…`, `R8.11.5`.
fn of_era(mut scan: Scan) -> Option<(NaiveDate, Scan)> {
    let era = scan.one_of(&ERAS)?;
    scan.blanks();
    let year = if scan.text("元").is_some() { 1 } else { scan.number(1, 2)? };
    let (month, day) = rest(&mut scan)?;
    Some((era.day(year, month, day)?, scan))
}

/// `5 Nov 2026`, `5th November 2026`, `5-Nov-2026`, `Nov 5, 2026`.
fn of_month(mut scan: Scan) -> Option<(NaiveDate, Scan)> {
    let between = |scan: &mut Scan| {
        scan.sign(&[',', '-', '.', '/']);
        scan.blanks();
    };
    let first = scan.number(1, 2);
    if first.is_some() {
        ordinal(&mut scan);
        between(&mut scan);
    }
    let word = scan.word();
    let is_meant =
        |name: &str| word == name || word == &name[..3] || (word == "sept" && name.starts_with("sept"));
    let month = MONTHS.iter().position(|name| is_meant(name))?;
    between(&mut scan);
    scan.blanks();
    let day = match first {
        Some(day) => day,
        None => {
            let day = scan.number(1, 2)?;
            ordinal(&mut scan);
            between(&mut scan);
            day
        }
    };
    let year = scan.number(4, 4)?;
    Some((date(year, u32::try_from(month).ok()? + 1, day)?, scan))
}

fn ordinal(scan: &mut Scan) {
    let mut after = *scan;
    if matches!(after.word(), "st" | "nd" | "rd" | "th") {
        *scan = after;
    }
    scan.blanks();
}

/// `11/5/2026`: three numbers of which the last is the year.
fn numbers(mut scan: Scan) -> Option<(u32, u32, i32)> {
    let first = scan.number(1, 2)?;
    let sign = scan.sign(&SEPARATORS)?;
    let second = scan.number(1, 2)?;
    scan.sign(&[sign])?;
    let year = scan.number(4, 4)?;
    weekday(&mut scan);
    scan.is_at_end().then_some((first, second, i32::try_from(year).ok()?))
}

/// `(木)`, `木曜日` and `(Thu)`, which say nothing new.
fn weekday(scan: &mut Scan) {
    const DAYS: [char; 7] = ['月', '火', '水', '木', '金', '土', '日'];
    let mut after = *scan;
    after.blanks();
    let is_bracketed = after.text("(").is_some();
    let is_day = after.sign(&DAYS).is_some() || (is_bracketed && after.word().len() >= 3);
    let is_written = after.text("曜").is_some();
    if is_written {
        after.text("日");
    }
    if is_day && (is_written || is_bracketed) && (!is_bracketed || after.text(")").is_some()) {
        *scan = after;
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn read(text: &str) -> Result<String, &'static str> {
        parse(text, DateOrder::Ymd).map(|day| day.to_string())
    }

    #[rstest]
    #[case("2026/11/5")]
    #[case("2026-11-05")]
    #[case("2026.11.5")]
    #[case("20261105")]
    #[case(" ２０２６／１１／０５ ")]
    #[case("2026年11月5日")]
    #[case("2026年 11月 5日(木)")]
    #[case("2026年11月5日木曜日")]
    #[case("2026/11/5（木）")]
    #[case("令和8年11月5日")]
    #[case("㋿8年11月5日")]
    #[case("令和８年１１月５日")]
    #[case("R8.11.5")]
    #[case("r8/11/05")]
    #[case("5 Nov 2026")]
    #[case("5 November 2026")]
    #[case("5th Nov. 2026")]
    #[case("5-Nov-2026")]
    #[case("Nov 5, 2026")]
    #[case("November 5th, 2026")]
    #[case("NOV 5 2026")]
    #[case("5 Nov 2026 (Thu)")]
    fn a_day_in_its_spellings(#[case] text: &str) {
        assert_eq!(read(text).as_deref(), Ok("2026-11-05"), "{text}");
    }

    #[rstest]
    #[case("令和元年5月1日", "2019-05-01")]
    #[case("平成31年4月30日", "2019-04-30")]
    #[case("H1.1.8", "1989-01-08")]
    #[case("昭和64年1月7日", "1989-01-07")]
    #[case("S1.12.25", "1926-12-25")]
    #[case("大正15年12月25日", "1926-12-25")]
    #[case("明治45年7月30日", "1912-07-30")]
    fn eras_have_their_years(#[case] text: &str, #[case] day: &str) {
        assert_eq!(read(text).as_deref(), Ok(day), "{text}");
    }

    #[rstest]
    #[case("")]
    #[case("2026/2/29")]
    #[case("2026/13/1")]
    #[case("2026/11-5")]
    #[case("平成31年5月1日")]
    #[case("令和0年1月1日")]
    #[case("H31.5.1")]
    #[case("5 Nox 2026")]
    #[case("31 Apr 2026")]
    #[case("26/11/5")]
    #[case("2026/11/5 14:30")]
    #[case("2026/11/5x")]
    #[case("来週")]
    fn what_is_no_day(#[case] text: &str) {
        assert_eq!(read(text), Err("invalid_day"), "{text}");
    }

    #[test]
    fn a_day_whose_order_is_unknown_is_read_only_when_it_is_told() {
        for text in ["11/5/2026", "11-05-2026", "11.5.2026", "１１/５/２０２６"] {
            assert_eq!(read(text), Err("date_order_needed"), "{text}");
            let told = |order| parse(text, order).map(|day| day.to_string());
            assert_eq!(told(DateOrder::Mdy).as_deref(), Ok("2026-11-05"), "{text}");
            assert_eq!(told(DateOrder::Dmy).as_deref(), Ok("2026-05-11"), "{text}");
        }
        assert_eq!(parse("13/5/2026", DateOrder::Mdy), Err("invalid_day"));
        assert_eq!(
            parse("2026/11/5", DateOrder::Dmy).map(|day| day.to_string()).as_deref(),
            Ok("2026-11-05")
        );
    }

    proptest! {
        #[test]
        fn a_printed_day_is_read_back(number in 693_900_i32..1_100_000) {
            let date = NaiveDate::from_num_days_from_ce_opt(number).unwrap();
            let day = Day::of(date).unwrap();
            let (year, month, of_month) = (date.year(), date.month(), date.day());
            let english = date.format("%-d %b %Y").to_string();
            let mut spelled = vec![
                day.to_string(),
                format!("{year}/{month}/{of_month}"),
                format!("{year}年{month}月{of_month}日"),
                english,
                date.format("%B %-d, %Y").to_string(),
                date.format("%Y%m%d").to_string(),
            ];
            if date >= NaiveDate::from_ymd_opt(2019, 5, 1).unwrap() && year < 2118 {
                spelled.push(format!("令和{}年{month}月{of_month}日", year - 2018));
                spelled.push(format!("R{}.{month}.{of_month}", year - 2018));
            }
            for text in spelled {
                prop_assert_eq!(parse(&text, DateOrder::Ymd), Ok(day), "{}", text);
            }
            prop_assert_eq!(parse(&date.format("%-m/%-d/%Y").to_string(), DateOrder::Mdy), Ok(day));
            prop_assert_eq!(parse(&date.format("%d.%m.%Y").to_string(), DateOrder::Dmy), Ok(day));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = parse(&text, DateOrder::Mdy);
        }
    }
}
