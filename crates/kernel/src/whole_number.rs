//! Whole numbers as JSON Schema defines them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A whole number as JSON Schema defines it: `90` and `90.0` are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Whole(pub i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl de::Visitor<'_> for Reader {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            // A number outside is cut to the nearest one inside: every field's range is narrower.
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
                if number.fract() == 0.0 {
                    Ok(Whole(number as i64))
                } else {
                    Err(E::invalid_type(de::Unexpected::Float(number), &self))
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Reads a whole number or null, for a field that may be absent.
///
/// # Errors
/// When it is something else.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<Whole>::deserialize(deserializer)?.map(|whole| whole.0))
}

/// Reads a whole number or null that is present, for a field of changes.
///
/// # Errors
/// When it is something else.
pub fn present_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<i64>>, D::Error> {
    whole(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_written_with_a_fraction_of_zero() {
        let read = |text| serde_json::from_str::<Whole>(text).ok().map(|whole| whole.0);
        for (text, number) in [("90", 90), ("-1", -1), ("90.0", 90), ("9e1", 90), ("1e300", i64::MAX)] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["90.5", "\"90\"", "null", "true", "[]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
