//! What `?q=` finds (SPEC §3): records whose texts hold every word of it, in any order and in any field, each as a
//! literal part by its [key]. Pure.

use crate::error::{Error, ErrorCode, FieldError};
use crate::text_key::{key, without_optional_blanks};

/// The most characters of `q`: those of a name.
pub const Q_MAX: usize = 200;
/// The most words of `q`.
pub const WORDS_MAX: usize = 16;

/// The version of the keys that this program makes: the first character of each searched text. Texts of before there
/// were keys begin with another character. Another version needs a migration with new indexes `*_unkeyed`.
pub const VERSION: char = '\u{1}';

/// Between the fields, and between a field and what it is without optional blanks. No word has either.
pub(crate) const FIELD: char = '\n';
pub(crate) const FORM: char = '\t';

/// The text that is searched, from the keys of a record's fields: the name first.
pub fn search_text<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::from(VERSION);
    for (place, key) in keys.into_iter().enumerate() {
        if place > 0 {
            text.push(FIELD);
        }
        text.push_str(key);
        if let Some(joined) = without_optional_blanks(key) {
            text.push(FORM);
            text.push_str(&joined);
        }
    }
    text
}

/// The words of `q`, by their keys: the longest first, and none that is part of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of `q`; none if it is absent or blank.
    ///
    /// # Errors
    /// `invalid_parameter` (`too_long`, `too_many_words`).
    pub fn parse(q: Option<&str>) -> Result<Self, Error> {
        let q = q.unwrap_or_default();
        let refused = |code, limit: usize| Error {
            fields: vec![FieldError::limit("q", code, limit as i64)],
            ..Error::new(ErrorCode::InvalidParameter)
        };
        if q.chars().count() > Q_MAX {
            return Err(refused("too_long", Q_MAX));
        }
        if split(q).nth(WORDS_MAX).is_some() {
            return Err(refused("too_many_words", WORDS_MAX));
        }
        let mut keys: Vec<String> = split(q).map(key).filter(|key| !key.is_empty()).collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        let mut words: Vec<String> = Vec::with_capacity(keys.len());
        for key in keys {
            if !words.iter().any(|word| word.contains(&key)) {
                words.push(key);
            }
        }
        Ok(Self(words))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn split(q: &str) -> impl Iterator<Item = &str> {
    q.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
}

/// The beginning of a text that is within the limits of `q`, for what people type beside the API.
pub fn within_limits(text: &str) -> String {
    let text: String = text.trim().chars().take(Q_MAX).collect();
    split(&text).take(WORDS_MAX).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(q: &str) -> Vec<String> {
        Words::parse(Some(q)).expect("a search").0
    }

    fn fault(q: &str) -> (String, Option<i64>) {
        let error = Words::parse(Some(q)).expect_err("a fault");
        assert_eq!((error.code, error.fields[0].field.as_str()), (ErrorCode::InvalidParameter, "q"));
        (error.fields[0].code.to_string(), error.fields[0].limit)
    }

    #[test]
    fn words_are_keys_the_longest_first_and_each_once() {
        assert_eq!(words("山田　ﾀﾛｳ"), ["たろう", "山田"]);
        assert_eq!(words("Abc　ABCD abcd bc"), ["abcd"]);
        assert_eq!(words(" \u{3000}\n\u{200b} "), [""; 0]);
        assert!(Words::parse(None).expect("none").is_empty());
        assert!(Words::parse(Some("")).expect("none").is_empty());
    }

    #[test]
    fn words_are_bounded_in_length_and_number() {
        assert_eq!(words(&"あ".repeat(Q_MAX)).len(), 1);
        assert_eq!(fault(&"あ".repeat(Q_MAX + 1)), ("too_long".into(), Some(200)));
        let many = |n: u32| (0..n).map(|n| format!("{n:02}")).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&many(16)).len(), 16);
        assert_eq!(fault(&many(17)), ("too_many_words".into(), Some(16)));
        assert_eq!(words(&within_limits(&many(60))).len(), 16);
    }

    #[test]
    fn a_word_is_found_within_one_field_with_or_without_optional_blanks() {
        let text = search_text(["佐藤 太郎", "さとう たろう", "abc 商事", "x@example.jp"]);
        assert_eq!(
            text,
            "\u{1}佐藤 太郎\t佐藤太郎\nさとう たろう\tさとうたろう\nabc 商事\tabc商事\nx@example.jp"
        );
        for found in ["佐藤太郎", "佐藤　太郎", "ｻﾄｳﾀﾛｳ", "ABC商事", "商事 佐藤", "藤 太"]
        {
            assert!(words(found).iter().all(|word| text.contains(word)), "{found}");
        }
        for missing in ["太郎さとう", "商事x@", "佐藤次郎", "佐藤 次郎"] {
            assert!(!words(missing).iter().all(|word| text.contains(word)), "{missing}");
        }
    }

    #[test]
    fn no_word_has_what_stands_between_fields() {
        for q in ["a\nb", "a\tb", "\u{1}a", "a\u{85}b", "D´Angelo", "a\u{2028}b"] {
            assert!(!words(q).iter().any(|word| word.contains(char::is_control)), "{q:?}");
        }
    }
}
