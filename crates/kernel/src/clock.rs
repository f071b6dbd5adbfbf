//! Time is passed in. Code that needs the present time holds a [`Clock`], which tests can move.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A moment in UTC with microseconds, the resolution of both databases.
///
/// Its text is always 27 characters (`2026-11-23T09:00:00.000000Z`), so that text sorts as time does;
/// years are 0001 to 9999 for the same reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// From microseconds since 1970.
    ///
    /// # Panics
    /// Outside the years 0001 to 9999: callers pass clock readings or sums of valid times.
    pub fn from_micros(micros: i64) -> Self {
        let time = DateTime::from_timestamp_micros(micros).expect("a moment chrono can hold");
        Self::try_from(time).expect("a year between 0001 and 9999")
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// Whole seconds since 1970, as JWT claims carry them.
    pub fn seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// This moment minus `duration`.
    ///
    /// # Panics
    /// When that is before the year 1.
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_micros(self.micros() - i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }

    /// This moment plus `duration`, but at most the last representable one.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let last = 253_402_300_799_999_999; // 9999-12-31T23:59:59.999999Z
        Self::from_micros(self.micros().saturating_add(micros).min(last))
    }

    /// The time since `earlier`; zero if that is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.micros() - earlier.micros()).unwrap_or(0))
    }

    /// This moment as a `chrono` value.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The UTC day.
    pub fn date(self) -> NaiveDate {
        self.0.date_naive()
    }

    /// Parses RFC 3339 with any offset; digits beyond microseconds are cut off.
    pub fn parse(text: &str) -> Option<Self> {
        // chrono also accepts a space in the place of the T.
        if text.as_bytes().get(10) == Some(&b' ') {
            return None;
        }
        Self::try_from(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc)).ok()
    }
}

/// A year that the fixed-width text can't hold.
#[derive(Debug)]
pub struct OutOfRange;

impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = OutOfRange;

    fn try_from(time: DateTime<Utc>) -> Result<Self, OutOfRange> {
        if !(1..=9999).contains(&time.year()) {
            return Err(OutOfRange);
        }
        // A leap second is written as the last microsecond before it: PostgreSQL and SQLite differ on :60.
        let micros = (time.nanosecond() / 1_000).min(999_999);
        Ok(Self(time.with_nanosecond(micros * 1_000).ok_or(OutOfRange)?))
    }
}

impl fmt::Display for Timestamp {
    // By hand: chrono's formatter costs more than the rest of a record's serialisation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |at: usize, width: usize, mut value: u32| {
            for place in (at..at + width).rev() {
                text[place] = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(0, 4, self.0.year() as u32);
        put(5, 2, self.0.month());
        put(8, 2, self.0.day());
        put(11, 2, self.0.hour());
        put(14, 2, self.0.minute());
        put(17, 2, self.0.second());
        put(20, 6, self.0.nanosecond() / 1_000);
        f.write_str(std::str::from_utf8(&text).expect("ASCII"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not an RFC 3339 time"))
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let text = ObjectBuilder::new().schema_type(Type::String).format(Some(format));
        text.pattern(Some("^(?!0000)")).build().into()
    }
}

impl ToSchema for Timestamp {
    fn name() -> Cow<'static, str> {
        "Timestamp".into()
    }
}

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The clock of the machine.
    System,
    /// A clock that tests move.
    Manual(Arc<AtomicI64>),
    /// The clock of a node of a simulated world.
    #[cfg(feature = "simulation")]
    Simulated(fn(u64) -> Timestamp, u64),
}

impl Clock {
    /// A manual clock that begins at `start`.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.micros())))
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::try_from(Utc::now()).expect("a clock set before the year 10000"),
            Self::Manual(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
            #[cfg(feature = "simulation")]
            Self::Simulated(read, node) => read(*node),
        }
    }

    /// Moves a manual clock forward; does nothing to the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(by.as_micros() as i64, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_width_and_sorts_as_time_does() {
        for (given, kept) in [
            ("2026-11-23T09:00:00Z", "2026-11-23T09:00:00.000000Z"),
            ("2026-11-23T18:00:00.1234567+09:00", "2026-11-23T09:00:00.123456Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Timestamp::parse(given).unwrap().to_string(), kept);
        }
    }

    #[test]
    fn years_that_the_width_cannot_hold_are_refused() {
        for text in [
            "9999-12-31T23:59:59-01:00",
            "2026-11-23 09:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "soon",
            "",
        ] {
            assert!(Timestamp::parse(text).is_none(), "{text}");
        }
    }
}
