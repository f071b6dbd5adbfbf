//! Moments: a day and a time of it, in a zone. `2026/11/5 14:30`, `令和8年11月5日 午後2時30分`, `5 Nov 2026 2:30 PM`,
//! `2026-11-05T14:30:00+09:00`.

use std::time::Duration;

use chrono::{NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::import::record::DateOrder;
use crate::import::spelling::day;
use crate::import::spelling::scan::{Scan, folded};
use kernel::clock::Timestamp;

/// The first and the last minute of a day, for a day without a time.
pub const FIRST: NaiveTime = NaiveTime::MIN;
pub const LAST: NaiveTime = match NaiveTime::from_hms_opt(23, 59, 0) {
    Some(time) => time,
    None => FIRST,
};

/// The moment of a text. A day alone has the time `alone`.
///
/// # Errors
/// `date_order_needed`, or `invalid_moment`.
pub fn parse(text: &str, order: DateOrder, zone: Tz, alone: NaiveTime) -> Result<Timestamp, &'static str> {
    let text = text.trim();
    if let Some(exact) = Timestamp::parse(text) {
        return Ok(exact);
    }
    match day::parse(text, order) {
        Ok(day) => return at(day.date().and_time(alone), zone),
        Err("date_order_needed") => return Err("date_order_needed"),
        Err(_) => {}
    }
    let mut fault = "invalid_moment";
    for (end, sign) in text.char_indices().skip(1) {
        let rest = if sign == 'T' || sign == ',' { &text[end + 1..] } else { &text[end..] };
        let Some(time) = time(rest) else { continue };
        match day::parse(&text[..end], order) {
            Ok(day) => return at(day.date().and_time(time), zone),
            Err("date_order_needed") => fault = "date_order_needed",
            Err(_) => {}
        }
    }
    Err(fault)
}

/// The moment of a time on the wall: of an hour that there was twice the first, of one that there was not the next.
fn at(wall: NaiveDateTime, zone: Tz) -> Result<Timestamp, &'static str> {
    let found = zone.from_local_datetime(&wall).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(wall + Duration::from_hours(1))).earliest());
    let found = found.and_then(|time| Timestamp::try_from(time.with_timezone(&Utc)).ok());
    found.ok_or("invalid_moment")
}

/// Half a day, as it stands before or after a time.
#[derive(Clone, Copy)]
enum Half {
    Am,
    Pm,
}

const HALVES: [(&str, Half); 6] = [
    ("午前", Half::Am),
    ("午後", Half::Pm),
    ("a.m.", Half::Am),
    ("p.m.", Half::Pm),
    ("am", Half::Am),
    ("pm", Half::Pm),
];

/// A time: `14:30`, `14:30:15`, `14時30分`, `14時`, `午後2時30分`, `2:30 PM`, `2pm`.
pub fn time(text: &str) -> Option<NaiveTime> {
    let folded = folded(text);
    let mut scan = Scan(&folded);
    let before = scan.one_of(&HALVES);
    scan.blanks();
    let hour = scan.number(1, 2)?;
    let (mut minute, mut second, mut is_bare) = (0, 0, false);
    if scan.text(":").is_some() {
        minute = scan.number(2, 2)?;
        if scan.text(":").is_some() {
            second = scan.number(2, 2)?;
        }
    } else if scan.text("時").is_some() {
        if scan.text("半").is_some() {
            minute = 30;
        } else if let Some(minutes) = scan.number(1, 2) {
            scan.text("分")?;
            minute = minutes;
            if let Some(seconds) = scan.number(1, 2) {
                scan.text("秒")?;
                second = seconds;
            }
        }
    } else {
        is_bare = true;
    }
    scan.blanks();
    let half = before.or_else(|| scan.one_of(&HALVES));
    if !scan.is_at_end() || (is_bare && half.is_none()) {
        return None;
    }
    let hour = match half {
        None => hour,
        Some(_) if hour > 12 => return None,
        Some(Half::Am) => hour % 12,
        Some(Half::Pm) => hour % 12 + 12,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

#[cfg(test)]
mod tests {
    use chrono::Timelike;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const TOKYO: Tz = chrono_tz::Asia::Tokyo;

    fn read(text: &str) -> Result<String, &'static str> {
        parse(text, DateOrder::Ymd, TOKYO, FIRST).map(|time| time.to_string())
    }

    #[rstest]
    #[case("2026/11/5 14:30")]
    #[case("2026-11-05 14:30:00")]
    #[case("2026-11-05T14:30")]
    #[case("2026-11-05T14:30:00+09:00")]
    #[case("2026-11-05T05:30:00Z")]
    #[case("2026年11月5日14時30分")]
    #[case("令和8年11月5日(木) 午後2時30分")]
    #[case("令和8年11月5日　午後２時半")]
    #[case("２０２６／１１／５　１４：３０")]
    #[case("5 Nov 2026 2:30 PM")]
    #[case("5 Nov 2026, 2:30pm")]
    #[case("Nov 5, 2026 2:30 p.m.")]
    #[case("R8.11.5 14:30")]
    fn a_moment_in_its_spellings(#[case] text: &str) {
        assert_eq!(read(text).as_deref(), Ok("2026-11-05T05:30:00.000000Z"), "{text}");
    }

    #[test]
    fn a_day_alone_has_the_time_that_is_given() {
        assert_eq!(read("2026/11/5").as_deref(), Ok("2026-11-04T15:00:00.000000Z"));
        let due = parse("2026/11/5", DateOrder::Ymd, TOKYO, LAST).unwrap();
        assert_eq!(due.to_string(), "2026-11-05T14:59:00.000000Z");
    }

    #[test]
    fn noon_and_midnight_have_their_twelves() {
        let clock = |text| time(text).map(|time| (time.hour(), time.minute()));
        assert_eq!(clock("12:00 AM"), Some((0, 0)));
        assert_eq!(clock("12:15 pm"), Some((12, 15)));
        assert_eq!(clock("午前0時"), Some((0, 0)));
        assert_eq!(clock("午後12時15分"), Some((12, 15)));
        assert_eq!(clock("2 PM"), Some((14, 0)));
    }

    #[rstest]
    #[case("2026/11/5 25:00", "invalid_moment")]
    #[case("2026/11/5 14:60", "invalid_moment")]
    #[case("2026/11/5 午後13時", "invalid_moment")]
    #[case("2026/11/5 14", "invalid_moment")]
    #[case("14:30", "invalid_moment")]
    #[case("2026/2/30 14:30", "invalid_moment")]
    #[case("11/5/2026 14:30", "date_order_needed")]
    #[case("11/5/2026", "date_order_needed")]
    #[case("", "invalid_moment")]
    fn what_is_no_moment(#[case] text: &str, #[case] code: &str) {
        assert_eq!(read(text), Err(code), "{text}");
    }

    #[test]
    fn an_hour_that_was_left_out_is_the_next_and_one_that_came_twice_the_first() {
        let new_york =
            |text| parse(text, DateOrder::Ymd, chrono_tz::America::New_York, FIRST).unwrap().to_string();
        assert_eq!(new_york("2026-03-08 02:30"), "2026-03-08T07:30:00.000000Z");
        assert_eq!(new_york("2026-11-01 01:30"), "2026-11-01T05:30:00.000000Z");
    }

    proptest! {
        #[test]
        fn a_printed_moment_is_read_back(minutes in -500_000_i64..30_000_000) {
            let moment = Timestamp::from_micros(minutes * 60_000_000);
            let wall = moment.utc().with_timezone(&TOKYO);
            for pattern in ["%Y/%-m/%-d %H:%M", "%Y年%-m月%-d日%H時%M分", "%-d %b %Y %I:%M %p", "%b %-d, %Y, %H:%M"] {
                let text = wall.format(pattern).to_string();
                prop_assert_eq!(parse(&text, DateOrder::Ymd, TOKYO, FIRST), Ok(moment), "{}", text);
            }
            prop_assert_eq!(parse(&moment.to_string(), DateOrder::Ymd, TOKYO, FIRST), Ok(moment));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = parse(&text, DateOrder::Dmy, TOKYO, LAST);
        }
    }
}
