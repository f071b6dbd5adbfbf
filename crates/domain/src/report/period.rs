//! Periods that reports compare: the one before, fiscal years and quarters. Pure.

use chrono::{Datelike, Days, Months, NaiveDate};

/// The first and the last day of a period, both included.
pub type Span = (NaiveDate, NaiveDate);

/// The period before this one. Before whole months come as many months, so that a fiscal year stands beside the year before and
/// a quarter beside the quarter before; before other days come as many days. `None` at the beginning of time.
pub fn before((from, to): Span) -> Option<Span> {
    let last = from.pred_opt()?;
    let first = match whole_months((from, to)) {
        Some(months) => from.checked_sub_months(Months::new(months))?,
        None => from.checked_sub_days(Days::new(u64::try_from((to - from).num_days()).ok()? + 1))?,
    };
    (first.year() > 0).then_some((first, last))
}

/// How many months a period has that begins and ends with one.
fn whole_months((from, to): Span) -> Option<u32> {
    let next = to.succ_opt()?;
    let months = (next.year() - from.year()) * 12 + next.month() as i32 - from.month() as i32;
    (from.day() == 1 && next.day() == 1).then(|| u32::try_from(months).ok()).flatten()
}

/// The fiscal year of a day, if fiscal years start with the month `starts` (1 to 12).
pub fn fiscal_year(day: NaiveDate, starts: u32) -> Option<Span> {
    let year = if day.month() < starts { day.year() - 1 } else { day.year() };
    let first = NaiveDate::from_ymd_opt(year, starts, 1)?;
    span(first, 12)
}

/// The four quarters of a fiscal year that begins on this day.
pub fn quarters(first: NaiveDate) -> Vec<Span> {
    let begins = (0..4).filter_map(|quarter| first.checked_add_months(Months::new(3 * quarter)));
    begins.filter_map(|begin| span(begin, 3)).collect()
}

fn span(first: NaiveDate, months: u32) -> Option<Span> {
    Some((first, first.checked_add_months(Months::new(months))?.pred_opt()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn of(from: &str, to: &str) -> String {
        before((day(from), day(to))).map_or("none".into(), |(from, to)| format!("{from} {to}"))
    }

    #[test]
    fn months_are_compared_with_months_and_days_with_days() {
        assert_eq!(of("2026-04-01", "2027-03-31"), "2025-04-01 2026-03-31");
        assert_eq!(of("2026-07-01", "2026-09-30"), "2026-04-01 2026-06-30");
        assert_eq!(of("2026-03-01", "2026-03-31"), "2026-02-01 2026-02-28");
        assert_eq!(of("2026-03-01", "2026-03-30"), "2026-01-30 2026-02-28");
        assert_eq!(of("2026-03-05", "2026-03-05"), "2026-03-04 2026-03-04");
        assert_eq!(of("0001-01-01", "0001-12-31"), "none");
    }

    #[test]
    fn a_fiscal_year_begins_with_its_month() {
        let year = |text: &str, starts| {
            let (from, to) = fiscal_year(day(text), starts).expect("a year");
            format!("{from} {to}")
        };
        assert_eq!(year("2026-03-31", 4), "2025-04-01 2026-03-31");
        assert_eq!(year("2026-04-01", 4), "2026-04-01 2027-03-31");
        assert_eq!(year("2026-11-27", 1), "2026-01-01 2026-12-31");
        assert_eq!(year("2026-11-27", 12), "2025-12-01 2026-11-30");
        let four: Vec<_> = quarters(day("2026-04-01")).iter().map(|(from, _)| from.to_string()).collect();
        assert_eq!(four, ["2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]);
    }
}
