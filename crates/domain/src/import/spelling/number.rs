//! Minutes (`90`, `90分`, `1時間30分`, `1:30`) and percents (`40`, `40%`).

use crate::import::spelling::scan::{Scan, folded};

/// The minutes of a text.
pub fn minutes(text: &str) -> Option<i64> {
    const MINUTES: [(&str, ()); 5] = [("分", ()), ("minutes", ()), ("mins", ()), ("min", ()), ("m", ())];
    const HOURS: [(&str, ()); 5] = [("時間", ()), ("hours", ()), ("hour", ()), ("hrs", ()), ("h", ())];
    let folded = folded(text);
    let mut scan = Scan(&folded);
    let first = i64::from(scan.number(1, 6)?);
    scan.blanks();
    let total = if scan.text(":").is_some() {
        first * 60 + i64::from(scan.number(2, 2).filter(|minutes| *minutes < 60)?)
    } else if scan.one_of(&HOURS).is_some() {
        scan.blanks();
        let more = if scan.text("半").is_some() { Some(30) } else { scan.number(1, 3) };
        scan.blanks();
        scan.one_of(&MINUTES);
        first * 60 + i64::from(more.unwrap_or(0))
    } else {
        scan.one_of(&MINUTES);
        first
    };
    scan.is_at_end().then_some(total)
}

/// The percents of a text.
pub fn percent(text: &str) -> Option<i64> {
    let folded = folded(text);
    let mut scan = Scan(&folded);
    let number = scan.number(1, 6)?;
    // A spreadsheet writes 40.0.
    if scan.text(".").is_some() {
        scan.number(1, 3).filter(|decimals| *decimals == 0)?;
    }
    scan.blanks();
    scan.text("%");
    scan.is_at_end().then_some(i64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_written_in_hours_too() {
        for (text, number) in [
            ("90", 90),
            ("９０分", 90),
            ("1時間30分", 90),
            ("1時間半", 90),
            ("1:30", 90),
            ("2時間", 120),
            ("1 h 30 min", 90),
        ] {
            assert_eq!(minutes(text), Some(number), "{text}");
        }
        for text in ["", "-5", "1.5", "ninety", "1:75", "90 days"] {
            assert_eq!(minutes(text), None, "{text}");
        }
    }

    #[test]
    fn percents_may_have_their_sign() {
        for (text, number) in
            [("40", 40), ("40%", 40), ("４０％", 40), ("40 %", 40), ("40.0", 40), ("140", 140)]
        {
            assert_eq!(percent(text), Some(number), "{text}");
        }
        for text in ["", "40.5", "half", "-1"] {
            assert_eq!(percent(text), None, "{text}");
        }
    }
}
