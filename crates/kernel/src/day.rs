//! A day of the calendar, without a time or a zone: the day on which something is expected.

use std::borrow::Cow;
use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A day as RFC 3339 writes it (`2026-11-23`), of the years 0001 to 9999. Its text sorts as the days do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// The day of this text; `None` for any other form.
    pub fn parse(text: &str) -> Option<Self> {
        let is_shaped = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        day.filter(|_| is_shaped).and_then(Self::of)
    }

    /// This day; `None` if its year has more or less than four digits.
    pub fn of(date: NaiveDate) -> Option<Self> {
        (1..=9999).contains(&date.year()).then_some(Self(date))
    }

    /// The day as a `chrono` value.
    pub fn date(self) -> NaiveDate {
        self.0
    }

    /// Its number: that of the next day is greater by one.
    pub fn number(self) -> i64 {
        self.0.num_days_from_ce().into()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a day of the calendar"))
    }
}

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::Date);
        let day = ObjectBuilder::new().schema_type(Type::String).format(Some(format));
        day.pattern(Some("^(?!0000)")).build().into()
    }
}

impl ToSchema for Day {
    fn name() -> Cow<'static, str> {
        "Day".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_one_way() {
        for right in ["0001-01-01", "2024-02-29", "9999-12-31"] {
            assert_eq!(Day::parse(right).map(|day| day.to_string()).as_deref(), Some(right));
        }
        for wrong in
            ["", "2026-2-1", "0000-01-01", "2026-02-29", "2026/11/05", "+2026-01-1", "2026-11-05T00:00:00Z"]
        {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_follow_each_other() {
        let number = |text| Day::parse(text).expect("a day").number();
        assert_eq!(number("2026-03-01") - number("2026-02-28"), 1);
    }
}
