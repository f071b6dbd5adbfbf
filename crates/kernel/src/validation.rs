//! Checks the fields of a body and collects every error, so that a form can show all of them at once. Pure.

use crate::error::{Error, FieldError};

/// The longest e-mail address that can be delivered to (RFC 5321 §4.5.3.1.3).
pub const EMAIL_MAX: usize = 254;

/// Collects the errors of fields.
#[derive(Debug, Default)]
pub struct Validator(Vec<FieldError>);

impl Validator {
    pub fn add(&mut self, field: &str, code: &'static str) {
        self.0.push(FieldError::new(field, code));
    }

    /// A text of 1 to `max` characters, as sent, with more than white space; trimmed.
    pub fn required(&mut self, field: &str, text: &str, max: usize) -> String {
        let kept = self.text(field, text, max);
        if kept.is_empty() {
            self.add(field, "required");
        }
        kept
    }

    /// A text of at most `max` characters, trimmed; an empty one counts as absent.
    pub fn optional(&mut self, field: &str, text: Option<&str>, max: usize) -> Option<String> {
        let kept = self.text(field, text?, max);
        (!kept.is_empty()).then_some(kept)
    }

    fn text(&mut self, field: &str, text: &str, max: usize) -> String {
        if text.contains('\0') {
            self.add(field, "nul_character");
        } else if text.chars().count() > max {
            self.0.push(FieldError::limit(field, "too_long", max as i64));
        }
        text.trim().to_owned()
    }

    /// An e-mail address, trimmed and in lower case: printable ASCII with one `@` inside.
    pub fn email(&mut self, field: &str, text: &str) -> String {
        let kept = self.required(field, text, EMAIL_MAX);
        if !kept.is_empty() && !is_email(&kept) {
            self.add(field, "invalid_email");
        }
        kept.to_ascii_lowercase()
    }

    /// A whole number within bounds.
    pub fn range(&mut self, field: &str, number: i64, min: i64, max: i64) -> i64 {
        if number < min {
            self.0.push(FieldError::limit(field, "too_small", min));
        } else if number > max {
            self.0.push(FieldError::limit(field, "too_large", max));
        }
        number
    }

    /// `value`, if there was no error.
    ///
    /// # Errors
    /// `invalid_fields` with every error.
    pub fn ok<T>(self, value: T) -> Result<T, Error> {
        if self.0.is_empty() { Ok(value) } else { Err(Error::fields(self.0)) }
    }
}

/// Sets a field if it is given and differs, and records its name.
pub fn set<T: PartialEq>(
    field: &mut T,
    wanted: Option<T>,
    name: &'static str,
    changed: &mut Vec<&'static str>,
) {
    if let Some(wanted) = wanted.filter(|wanted| wanted != field) {
        *field = wanted;
        changed.push(name);
    }
}

/// Checks the shape only; whether mail can be delivered is for the mail server to say.
fn is_email(text: &str) -> bool {
    let printable = text.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    let parts: Vec<&str> = text.split('@').collect();
    printable && parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
}

/// The text that `?q=` searches: the given texts in lower case, one per line.
pub fn search_text(texts: &[Option<&str>]) -> String {
    texts.iter().flatten().map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn check(run: impl FnOnce(&mut Validator)) -> Vec<(Cow<'static, str>, Option<i64>)> {
        let mut validator = Validator::default();
        run(&mut validator);
        validator.0.into_iter().map(|fault| (fault.code, fault.limit)).collect()
    }

    #[test]
    fn texts_are_trimmed_and_bounded_in_characters() {
        assert_eq!(Validator::default().required("name", "  佐藤 ", 5), "佐藤");
        assert_eq!(check(|f| drop(f.required("name", " \u{3000}\n", 9))), [("required".into(), None)]);
        assert_eq!(check(|f| drop(f.required("name", "佐藤さん", 3))), [("too_long".into(), Some(3))]);
        assert_eq!(check(|f| drop(f.optional("name", Some("a\0b"), 9))), [("nul_character".into(), None)]);
    }

    #[test]
    fn addresses_are_folded_and_checked_for_shape() {
        assert_eq!(Validator::default().email("email", " Ann@Example.COM "), "ann@example.com");
        // The last begins with the sign for Kelvin, whose lower case is an ASCII k.
        for bad in ["ann", "@b", "a@", "a@b@c", "a b@c", "é@c", "\u{212a}@c"] {
            assert_eq!(check(|f| drop(f.email("email", bad))), [("invalid_email".into(), None)], "{bad}");
        }
    }
}
