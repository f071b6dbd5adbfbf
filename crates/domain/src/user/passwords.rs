//! Which passwords may be set: long enough, and none that a guess would try first (NIST SP 800-63B §3.1.1.2). Pure.

use std::sync::LazyLock;

use kernel::text_key::key;
use kernel::text_schemas::{NewPassword, TextKind};
use kernel::validation::{Given, Validator};
use unicode_normalization::UnicodeNormalization;

/// At least 8 characters, and no rules of composition; the upper bound keeps hashing cheap.
const PASSWORD_MIN: usize = 8;
/// The words of the product.
const PRODUCT: [&str; 4] = ["kizuna", "絆", "きずな", "キズナ"];
/// What must be left of a password that has words which others know: so many letters, or so many digits.
const LETTERS_MIN: usize = 4;
const DIGITS_MIN: usize = 6;

/// The most common passwords of 8 and more characters, in lower case, sorted; `common_passwords/LICENSE` names the source.
static COMMON: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("common_passwords/list.txt").lines().collect());

/// What hashing a password costs: the parameters of argon2id. A stored hash names its own, so that another cost holds for new
/// passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// In KiB.
    pub memory_kib: u32,
    pub passes: u32,
}

impl HashCost {
    /// 19 MiB and two passes: the second choice of OWASP's cheat sheet on storing passwords.
    pub const OWASP: Self = Self { memory_kib: 19_456, passes: 2 };
    /// For tests, which hash thousands of passwords: a hundredth of a server's time.
    pub const TESTS: Self = Self { memory_kib: 256, passes: 1 };
}

impl Default for HashCost {
    fn default() -> Self {
        Self::OWASP
    }
}

/// The form in which passwords are counted and hashed: what two keyboards write differently is one password.
pub fn normalized(password: &str) -> String {
    password.nfc().collect()
}

/// Brings a new password into its normal form and checks it. `own` are texts about its user: name and e-mail address.
pub fn check(validator: &mut Validator, field: &str, password: &mut impl Given<String>, own: &[&str]) {
    let Some(password) = password.given() else { return };
    *password = normalized(password);
    let length = password.chars().count();
    validator.range(field, length as i64, PASSWORD_MIN as i64, NewPassword::MAX as i64);
    if password.contains('\0') {
        validator.add(field, "nul_character");
    }
    if (PASSWORD_MIN..=NewPassword::MAX).contains(&length)
        && let Some(fault) = fault(password, own)
    {
        validator.add(field, fault);
    }
}

/// What makes a password easy to guess, if anything does.
fn fault(password: &str, own: &[&str]) -> Option<&'static str> {
    let password = key(password);
    if COMMON.binary_search(&password.as_str()).is_ok() {
        return Some("common_password");
    }
    is_known_words(&password, own).then_some("known_words")
}

/// Whether hardly anything is left without the product's and the user's own words.
fn is_known_words(password: &str, own: &[&str]) -> bool {
    let mut words: Vec<String> = PRODUCT.iter().map(|word| key(word)).collect();
    for text in own {
        words.extend(words_of(text));
    }
    // The longest first: a name before its parts.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut left = password.to_owned();
    for word in words {
        left = left.replace(&word, " ");
    }
    let count = |kind: fn(char) -> bool| left.chars().filter(|c| kind(*c)).count();
    left != password && count(char::is_alphabetic) < LETTERS_MIN && count(char::is_numeric) < DIGITS_MIN
}

/// The parts of a name or an address that somebody would try: whole, and word by word. A single letter is no word.
fn words_of(text: &str) -> Vec<String> {
    let text = key(text);
    let parts = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let whole = text.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_word = |part: &String| part.chars().count() > if part.is_ascii() { 2 } else { 1 };
    parts.chain([whole]).filter(is_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_sorted_and_folded() {
        assert!(COMMON.len() >= 3_000, "{}", COMMON.len());
        assert!(COMMON.is_sorted());
        assert!(COMMON.iter().all(|password| key(password) == *password && password.len() >= PASSWORD_MIN));
    }

    #[test]
    fn common_passwords_are_refused_in_any_case_and_width() {
        for password in ["password1", "PassWord1", "ｐａｓｓｗｏｒｄ１", "qwertyuiop", "iloveyou", "12345678"]
        {
            assert_eq!(fault(password, &[]), Some("common_password"), "{password}");
        }
        for password in ["correct-horse-9", "two-words-and-4", "another-password", "長い合言葉を使います"]
        {
            assert_eq!(fault(password, &[]), None, "{password}");
        }
    }

    #[test]
    fn words_that_others_know_are_not_enough() {
        let own = ["佐藤 花子 Hanako", "hanako.sato@kaisha.example"];
        for password in [
            "kizuna2026",
            "Kizuna-絆-1",
            "hanako-sato",
            "Sato1990!",
            "佐藤花子佐藤花子",
            "kaisha.example",
            "HANAKOHANAKO",
        ] {
            assert_eq!(fault(password, &own), Some("known_words"), "{password}");
        }
        for password in ["kizuna-demo", "hanako likes tea", "kizuna-84617305", "suzuki-1990"] {
            assert_eq!(fault(password, &own), None, "{password}");
        }
    }

    #[test]
    fn a_password_is_counted_and_kept_in_its_composed_form() {
        let mut validator = Validator::default();
        let mut password = "cafe\u{301}-au-lait".to_owned();
        check(&mut validator, "password", &mut password, &[]);
        assert_eq!(password, "caf\u{e9}-au-lait");
        assert!(validator.ok(()).is_ok());
        let mut validator = Validator::default();
        check(&mut validator, "password", &mut "e\u{301}".repeat(7), &[]);
        assert!(validator.ok(()).is_err(), "seven characters");
    }
}
