//! Amounts of money: whole numbers in the minor unit of a currency. Pure.

use iso_currency::Currency;

use kernel::validation::Validator;

/// The greatest whole number that every reader of JSON keeps to the last digit (RFC 7493 §2.2).
const AMOUNT_MAX: i64 = (1 << 53) - 1;
/// The currency of an amount that names none (SPEC §3).
pub const CURRENCY_DEFAULT: &str = "JPY";

/// Checks an amount, if there is one.
pub fn check_amount(validator: &mut Validator, amount: Option<i64>) {
    if let Some(amount) = amount {
        validator.range("amount", amount, 0, AMOUNT_MAX);
    }
}

/// Whether a text is a code of ISO 4217.
pub fn is_currency(code: &str) -> bool {
    Currency::from_code(code).is_some()
}

/// Checks a currency, if there is one: a code of ISO 4217.
pub fn check_currency(validator: &mut Validator, currency: Option<&str>) {
    if currency.is_some_and(|code| !is_currency(code)) {
        validator.add("currency", "invalid_currency");
    }
}
