//! Checks the fields of a body and collects every error, so that a form can show all of them at once. Pure.

use std::ops::Deref;

use crate::error::{Error, FieldError};
use crate::text_schemas::{Email, OptionalEmail, TextKind};

/// Collects the errors of fields.
#[derive(Debug, Default)]
pub struct Validator(Vec<FieldError>);

/// A body without errors, whose texts are in the form that is stored. Only [`Validator::ok`] makes one.
#[derive(Clone, Debug)]
pub struct Checked<T>(T);

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A field whose body may give it a `T`: a creation gives each of its fields, a change only those that it changes.
pub trait Given<T> {
    fn given(&mut self) -> Option<&mut T>;
}

impl<T> Given<T> for T {
    fn given(&mut self) -> Option<&mut T> {
        Some(self)
    }
}

impl<T> Given<T> for Option<T> {
    fn given(&mut self) -> Option<&mut T> {
        self.as_mut()
    }
}

impl Validator {
    pub fn add(&mut self, field: &str, code: &'static str) {
        self.0.push(FieldError::new(field, code));
    }

    /// Trims a text that must have more than white space, and at most as many characters, as sent, as its kind allows.
    pub fn required<K: TextKind>(&mut self, field: &str, text: &mut impl Given<String>) {
        if let Some(text) = text.given() {
            *text = self.trimmed::<K>(field, text);
            if text.is_empty() {
                self.add(field, "required");
            }
        }
    }

    /// Trims a text that may be absent; an empty one counts as absent.
    pub fn optional<K: TextKind>(&mut self, field: &str, text: &mut impl Given<Option<String>>) {
        if let Some(text) = text.given() {
            *text = text.take().map(|text| self.trimmed::<K>(field, &text)).filter(|text| !text.is_empty());
        }
    }

    fn trimmed<K: TextKind>(&mut self, field: &str, text: &str) -> String {
        if text.contains('\0') {
            self.add(field, "nul_character");
        } else if text.chars().count() > K::MAX {
            self.0.push(FieldError::limit(field, "too_long", K::MAX as i64));
        }
        text.trim().to_owned()
    }

    /// Trims an e-mail address and brings it into lower case: printable ASCII with one `@` inside.
    pub fn email(&mut self, field: &str, text: &mut impl Given<String>) {
        self.required::<Email>(field, text);
        if let Some(text) = text.given() {
            self.address(field, text);
        }
    }

    /// An e-mail address that may be absent; an empty text counts as absent.
    pub fn optional_email(&mut self, field: &str, text: &mut impl Given<Option<String>>) {
        self.optional::<OptionalEmail>(field, text);
        if let Some(Some(text)) = text.given() {
            self.address(field, text);
        }
    }

    fn address(&mut self, field: &str, text: &mut str) {
        if !text.is_empty() && !is_email(text) {
            self.add(field, "invalid_email");
        }
        text.make_ascii_lowercase();
    }

    /// Checks that a whole number is within bounds.
    pub fn range(&mut self, field: &str, number: i64, min: i64, max: i64) {
        if number < min {
            self.0.push(FieldError::limit(field, "too_small", min));
        } else if number > max {
            self.0.push(FieldError::limit(field, "too_large", max));
        }
    }

    /// The body, if there was no error.
    ///
    /// # Errors
    /// `invalid_fields` with every error.
    pub fn ok<T>(self, body: T) -> Result<Checked<T>, Error> {
        if self.0.is_empty() { Ok(Checked(body)) } else { Err(Error::fields(self.0)) }
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

    /// Up to five characters.
    struct Short;

    impl TextKind for Short {
        const MAX: usize = 5;
    }

    fn errors(validator: Validator) -> Vec<(Cow<'static, str>, Option<i64>)> {
        validator.0.into_iter().map(|error| (error.code, error.limit)).collect()
    }

    fn required(text: &str) -> Vec<(Cow<'static, str>, Option<i64>)> {
        let mut validator = Validator::default();
        validator.required::<Short>("name", &mut text.to_owned());
        errors(validator)
    }

    #[test]
    fn texts_are_trimmed_and_bounded_in_characters() {
        let mut name = "  佐藤 ".to_owned();
        Validator::default().required::<Short>("name", &mut name);
        assert_eq!(name, "佐藤");
        assert_eq!(required(" \u{3000}\n"), [("required".into(), None)]);
        assert_eq!(required("佐藤さんは"), []);
        assert_eq!(required("佐藤さんは "), [("too_long".into(), Some(5))]);
        assert_eq!(required("a\0b"), [("nul_character".into(), None)]);
    }

    #[test]
    fn a_change_checks_only_what_it_changes() {
        let mut validator = Validator::default();
        let (mut name, mut notes) = (None::<String>, None::<Option<String>>);
        validator.required::<Short>("name", &mut name);
        validator.optional::<Short>("notes", &mut notes);
        assert_eq!((name, notes), (None, None));
        let mut cleared = [Some(None), Some(Some(" ".to_owned())), Some(Some(" 済 ".to_owned()))];
        for notes in &mut cleared {
            validator.optional::<Short>("notes", notes);
        }
        assert_eq!(cleared, [Some(None), Some(None), Some(Some("済".to_owned()))]);
        assert_eq!(errors(validator), []);
    }

    #[test]
    fn addresses_are_folded_and_checked_for_shape() {
        let mut address = " Ann@Example.COM ".to_owned();
        Validator::default().email("email", &mut address);
        assert_eq!(address, "ann@example.com");
        // The last begins with the sign for Kelvin, whose lower case is an ASCII k.
        for bad in ["ann", "@b", "a@", "a@b@c", "a b@c", "é@c", "\u{212a}@c"] {
            let mut validator = Validator::default();
            validator.optional_email("email", &mut Some(bad.to_owned()));
            assert_eq!(errors(validator), [("invalid_email".into(), None)], "{bad}");
        }
    }
}
