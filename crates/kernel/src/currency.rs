//! Currencies (ISO 4217). Pure.

use iso_currency::Currency;

/// The decimals of a currency. One without a minor unit (such as gold) is counted in whole units.
pub fn places(currency: &str) -> u8 {
    Currency::from_code(currency)
        .and_then(Currency::exponent)
        .and_then(|it| u8::try_from(it).ok())
        .unwrap_or(0)
}
