//! Durations as people write them.

use std::time::Duration;

/// Parses a duration: `100ms`, `3s`, `5m`, `24h`, `30d`.
///
/// # Errors
/// For anything else, and for zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 100ms, 3s, 5m, 24h or 30d".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| expected())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(expected()),
    };
    let ten_years = 3_650 * 86_400_000;
    match number.checked_mul(millis) {
        Some(millis) if (1..=ten_years).contains(&millis) => Ok(Duration::from_millis(millis)),
        _ => Err("expected more than zero and at most 3650d".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_are_more_than_zero() {
        for (text, millis) in [("100ms", 100), ("3s", 3_000), ("5m", 300_000), ("24h", 86_400_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "5", "s", "0s", "-1s", "1.5s", "1w", "99999999999999999999d", "9999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
