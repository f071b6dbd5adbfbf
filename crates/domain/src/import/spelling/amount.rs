//! Amounts: `￥1,200`, `1,200円`, `1,200.50`, `120万円`, `USD 1,200.50`; `1.200,50` where a comma stands before the decimals.

use serde::{Deserialize, Serialize};

use crate::import::record::DecimalMark;
use crate::import::spelling::scan::{Scan, folded};
use kernel::currency::places;

/// Digits that an amount may have: more than any amount of money.
const DIGITS_MAX: usize = 18;

/// An amount as it is written, before its currency is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub is_negative: bool,
    /// All digits, without zeros before and after them that mean nothing.
    pub digits: String,
    /// How many of them are decimals.
    pub decimals: usize,
    /// The currency, if it stands there.
    pub currency: Option<String>,
}

const CURRENCIES: [(&str, &str); 6] =
    [("¥", "JPY"), ("円", "JPY"), ("$", "USD"), ("€", "EUR"), ("£", "GBP"), ("₩", "KRW")];

const UNITS: [(&str, usize); 6] = [("百万", 6), ("千万", 7), ("十億", 9), ("千", 3), ("万", 4), ("億", 8)];

impl Written {
    /// The amount of a text.
    ///
    /// # Errors
    /// `invalid_amount`.
    pub fn parse(text: &str, mark: DecimalMark) -> Result<Self, &'static str> {
        read(text, mark).ok_or("invalid_amount")
    }

    /// In the minor unit of a currency.
    ///
    /// # Errors
    /// `too_many_decimals`; `invalid_amount` if it is beyond any amount of money.
    pub fn minor(&self, currency: &str) -> Result<i64, &'static str> {
        let places = usize::from(places(currency));
        let zeros = places.checked_sub(self.decimals).ok_or("too_many_decimals")?;
        let minor = format!("{}{}", self.digits, "0".repeat(zeros)).parse::<i64>();
        let minor = minor.map_err(|_| "invalid_amount")?;
        Ok(if self.is_negative { -minor } else { minor })
    }
}

fn read(text: &str, mark: DecimalMark) -> Option<Written> {
    let folded = folded(text);
    let (mut rest, mut currency, mut is_negative) = (folded.as_str(), None, false);
    loop {
        rest = rest.trim_start();
        let mut scan = Scan(rest);
        if !is_negative && scan.sign(&['-', '−', '△', '▲']).is_some() {
            is_negative = true;
        } else if currency.is_none()
            && let Some(code) = currency_before(&mut scan)
        {
            currency = Some(code);
        } else {
            break;
        }
        rest = scan.0;
    }
    let (mut rest, unit) = after(rest, &mut currency)?;
    if let Some(within) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (rest, is_negative) = (within, true);
    }
    let (digits, decimals) = number(rest, mark)?;
    let (digits, decimals) = times(digits, decimals, unit);
    (digits.len() <= DIGITS_MAX).then_some(Written { is_negative, digits, decimals, currency })
}

fn currency_before(scan: &mut Scan) -> Option<String> {
    if let Some(code) = scan.one_of(&CURRENCIES) {
        return Some(code.to_owned());
    }
    let word = scan.word();
    (word.len() == 3).then(|| word.to_ascii_uppercase())
}

/// What stands behind the number, taken off: the unit, the currency, a dash that means no decimals.
fn after<'a>(text: &'a str, currency: &mut Option<String>) -> Option<(&'a str, usize)> {
    let mut rest = text.trim_end();
    rest = rest.strip_suffix(".-").or_else(|| rest.strip_suffix(",-")).unwrap_or(rest);
    let found =
        CURRENCIES.iter().find_map(|(sign, code)| Some((rest.strip_suffix(sign)?, (*code).to_owned())));
    let found = found.or_else(|| {
        let letters = rest.bytes().rev().take_while(u8::is_ascii_lowercase).count();
        let (before, word) = rest.split_at(rest.len() - letters);
        (letters == 3).then(|| (before, word.to_ascii_uppercase()))
    });
    if let Some((before, code)) = found {
        // Two currencies are one too many, unless they are the same: ￥1,200円.
        if currency.as_ref().is_some_and(|known| *known != code) {
            return None;
        }
        *currency = Some(code);
        rest = before.trim_end();
    }
    let unit = UNITS.iter().find_map(|(word, zeros)| Some((rest.strip_suffix(word)?, *zeros)));
    Some(unit.map_or((rest, 0), |(rest, zeros)| (rest.trim_end(), zeros)))
}

/// The digits of a number, and how many of them are decimals.
fn number(text: &str, mark: DecimalMark) -> Option<(String, usize)> {
    let (decimal, grouping) = match mark {
        DecimalMark::Point => ('.', ','),
        DecimalMark::Comma => (',', '.'),
    };
    let (whole, fraction) = match text.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    if fraction.is_some_and(|it| it.is_empty() || !it.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let signs: Vec<char> = whole.chars().filter(|sign| !sign.is_ascii_digit()).collect();
    let separator = signs.first().copied();
    if separator.is_some_and(|sign| ![grouping, ' ', '\'', '’'].contains(&sign)) {
        return None;
    }
    let groups: Vec<&str> = separator.map_or(vec![whole], |sign| whole.split(sign).collect());
    let is_grouped = groups.iter().skip(1).all(|group| group.len() == 3) && !groups[0].is_empty();
    let is_plain = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let is_right = is_plain && is_grouped && (groups.len() == 1 || groups[0].len() <= 3);
    let fraction = fraction.unwrap_or_default();
    is_right.then(|| (groups.concat() + fraction, fraction.len()))
}

/// Moves the decimals by a unit, and drops zeros that mean nothing.
fn times(mut digits: String, mut decimals: usize, unit: usize) -> (String, usize) {
    digits.extend(std::iter::repeat_n('0', unit.saturating_sub(decimals)));
    decimals = decimals.saturating_sub(unit);
    while decimals > 0 && digits.ends_with('0') {
        digits.pop();
        decimals -= 1;
    }
    let kept = digits.trim_start_matches('0').len().max(decimals + 1).min(digits.len());
    (digits.split_off(digits.len() - kept), decimals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn minor(text: &str, mark: DecimalMark, otherwise: &str) -> Result<i64, &'static str> {
        let written = Written::parse(text, mark)?;
        written.minor(written.currency.as_deref().unwrap_or(otherwise))
    }

    #[rstest]
    #[case("￥1,200", 1_200)]
    #[case("¥1200", 1_200)]
    #[case("1,200円", 1_200)]
    #[case("￥1,200円", 1_200)]
    #[case("１，２００円", 1_200)]
    #[case("１２００", 1_200)]
    #[case("1200.00", 1_200)]
    #[case("JPY 1,200", 1_200)]
    #[case("1 200 jpy", 1_200)]
    #[case("120万円", 1_200_000)]
    #[case("1.5億", 150_000_000)]
    #[case("3百万円", 3_000_000)]
    #[case("0", 0)]
    #[case("007", 7)]
    #[case("▲1,200", -1_200)]
    #[case("-1,200", -1_200)]
    #[case("(1,200)", -1_200)]
    fn yen(#[case] text: &str, #[case] amount: i64) {
        assert_eq!(minor(text, DecimalMark::Point, "JPY"), Ok(amount), "{text}");
    }

    #[rstest]
    #[case("1,200.50", 120_050)]
    #[case("$1,200.50", 120_050)]
    #[case("USD 1,200.5", 120_050)]
    #[case("1'200.50 USD", 120_050)]
    #[case("1200", 120_000)]
    #[case("0.05", 5)]
    fn dollars(#[case] text: &str, #[case] amount: i64) {
        assert_eq!(minor(text, DecimalMark::Point, "USD"), Ok(amount), "{text}");
    }

    #[test]
    fn a_comma_stands_before_decimals_only_when_it_is_told() {
        for (text, amount) in
            [("1.200,50", 120_050), ("1200,5", 120_050), ("1.200", 120_000), ("€ 1.200,-", 120_000)]
        {
            assert_eq!(minor(text, DecimalMark::Comma, "EUR"), Ok(amount), "{text}");
        }
        assert_eq!(minor("1.200,50", DecimalMark::Point, "EUR"), Err("invalid_amount"));
        assert_eq!(minor("1200,5", DecimalMark::Point, "EUR"), Err("invalid_amount"));
        assert_eq!(minor("1,200.50", DecimalMark::Comma, "EUR"), Err("invalid_amount"));
    }

    #[test]
    fn a_currency_has_so_many_decimals() {
        assert_eq!(minor("1,200.5", DecimalMark::Point, "JPY"), Err("too_many_decimals"));
        assert_eq!(minor("1.2345", DecimalMark::Point, "USD"), Err("too_many_decimals"));
        assert_eq!(minor("1.234", DecimalMark::Point, "KWD"), Ok(1_234));
    }

    #[rstest]
    #[case("")]
    #[case("円")]
    #[case("1,20")]
    #[case("1,2000")]
    #[case(",200")]
    #[case("1,200 2,300")]
    #[case("12,34,567")]
    #[case("1.2.3")]
    #[case("12a")]
    #[case("$1€")]
    #[case("1e9")]
    #[case("9999999999999999999999")]
    #[case("--5")]
    #[case("￥1,200-")]
    fn what_is_no_amount(#[case] text: &str) {
        assert_eq!(minor(text, DecimalMark::Point, "JPY"), Err("invalid_amount"), "{text}");
    }

    proptest! {
        #[test]
        fn a_printed_amount_is_read_back(cents in 0_i64..10_000_000_000_000) {
            let (whole, rest) = (cents / 100, cents % 100);
            let grouped = |sign: char| {
                let (digits, mut text) = (whole.to_string(), String::new());
                for (place, digit) in digits.char_indices() {
                    if place > 0 && (digits.len() - place) % 3 == 0 {
                        text.push(sign);
                    }
                    text.push(digit);
                }
                text
            };
            prop_assert_eq!(minor(&format!("{}.{rest:02}", grouped(',')), DecimalMark::Point, "USD"), Ok(cents));
            prop_assert_eq!(minor(&format!("{whole}.{rest:02}"), DecimalMark::Point, "USD"), Ok(cents));
            prop_assert_eq!(minor(&format!("{},{rest:02} €", grouped('.')), DecimalMark::Comma, "USD"), Ok(cents));
            prop_assert_eq!(minor(&format!("￥{}", grouped(',')), DecimalMark::Point, "USD"), Ok(whole));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = minor(&text, DecimalMark::Comma, "USD");
        }
    }
}
