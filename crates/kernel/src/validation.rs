//! Checks the fields of a body and collects every error, so that a form can show all of them at once. Pure.

use std::ops::Deref;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::characters::{is_bidi_control, is_control, is_visible};
use crate::error::{Error, FieldError};
use crate::text_schemas::{Email, OptionalEmail, TextKind};

/// A request's body. Its shape is its type's; here stand the rules for its values.
pub trait Rules: Sized {
    /// Every fault of its values. Types without a rule of their own have none.
    fn faults(self) -> Vec<FieldError> {
        Vec::new()
    }
}

/// The errors of fields in the result of a check.
pub fn faults_of<T>(checked: Result<T, Error>) -> Vec<FieldError> {
    checked.err().map(|error| error.fields).unwrap_or_default()
}

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

    /// Trims a text that must have a visible character, and brings it into NFC.
    pub fn required<K: TextKind>(&mut self, field: &str, text: &mut impl Given<String>) {
        if let Some(text) = text.given() {
            *text = self.text::<K>(field, text);
            if text.is_empty() {
                self.add(field, "required");
            }
        }
    }

    /// Trims a text that may be absent, and brings it into NFC; an empty one counts as absent.
    pub fn optional<K: TextKind>(&mut self, field: &str, text: &mut impl Given<Option<String>>) {
        if let Some(text) = text.given() {
            *text = text.take().map(|text| self.text::<K>(field, &text)).filter(|text| !text.is_empty());
        }
    }

    /// The text as it is stored: without white space around it, in NFC.
    fn text<K: TextKind>(&mut self, field: &str, sent: &str) -> String {
        let text = nfc(sent.trim());
        // NFC is mostly shorter than what was sent, and sometimes longer: either may be within the limit.
        let is_long = |text: &str| text.chars().count() > K::MAX;
        if sent.contains('\0') {
            self.add(field, "nul_character");
        } else if !K::HAS_LINES && text.contains(is_control) {
            self.add(field, "control_character");
        } else if !K::HAS_LINES && text.contains(is_bidi_control) {
            self.add(field, "bidi_control");
        } else if is_long(sent) && is_long(&nfc(sent)) {
            self.0.push(FieldError::limit(field, "too_long", K::MAX as i64));
        } else if !text.is_empty() && !text.contains(is_visible) {
            self.add(field, "invisible");
        }
        text
    }

    /// Trims an e-mail address and brings it into lower case: printable ASCII with one `@` inside.
    pub fn email(&mut self, field: &str, text: &mut impl Given<String>) {
        let is_right = text.given().is_none_or(|text| is_email(text.trim()));
        self.required::<Email>(field, text);
        if let Some(text) = text.given() {
            self.address(field, text, is_right);
        }
    }

    /// An e-mail address that may be absent; an empty text counts as absent.
    pub fn optional_email(&mut self, field: &str, text: &mut impl Given<Option<String>>) {
        let sent = text.given().and_then(|text| text.as_deref());
        let is_right = sent.is_none_or(|text| is_email(text.trim()));
        self.optional::<OptionalEmail>(field, text);
        if let Some(Some(text)) = text.given() {
            self.address(field, text, is_right);
        }
    }

    /// What was sent is judged, because NFC makes ASCII of some letters that look like it.
    fn address(&mut self, field: &str, text: &mut str, is_right: bool) {
        if !text.is_empty() && !is_right {
            self.add(field, "invalid_email");
        }
        text.make_ascii_lowercase();
    }

    /// Checks the name of a time zone: one of IANA's.
    pub fn time_zone(&mut self, field: &str, zone: &mut impl Given<String>) {
        if let Some(zone) = zone.given()
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            self.add(field, "invalid_time_zone");
        }
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

/// The text in NFC, so that what looks alike is stored alike.
fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Up to five characters.
    struct Short;

    impl TextKind for Short {
        const MAX: usize = 5;
        const HAS_LINES: bool = false;
    }

    /// Paragraphs of up to five characters.
    struct Paragraphs;

    impl TextKind for Paragraphs {
        const MAX: usize = 5;
        const HAS_LINES: bool = true;
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
    fn a_line_has_something_to_see_and_no_control() {
        for invisible in ["\u{200b}", "\u{feff}\u{2060}", "\u{3164}", "\u{2800}", "\u{fe0f}"] {
            assert_eq!(required(invisible), [("invisible".into(), None)], "{invisible:?}");
            let mut validator = Validator::default();
            validator.optional::<Paragraphs>("notes", &mut Some(invisible.to_owned()));
            assert_eq!(errors(validator), [("invisible".into(), None)], "{invisible:?}");
        }
        for control in ["a\nb", "a\rb", "a\tb", "a\u{1b}b", "a\u{7f}b", "a\u{9b}b", "a\u{85}b", "a\u{2028}b"]
        {
            assert_eq!(required(control), [("control_character".into(), None)], "{control:?}");
            let mut validator = Validator::default();
            validator.required::<Paragraphs>("comment", &mut control.to_owned());
            assert_eq!(errors(validator), [], "{control:?}");
        }
        for turned in ["a\u{202e}b", "\u{202a}b", "a\u{2066}b"] {
            assert_eq!(required(turned), [("bidi_control".into(), None)], "{turned:?}");
        }
        for right in ["\n a \t", "a\u{200b}", "\u{200e}א", "家\u{e0100}", "👨\u{200d}👩"] {
            assert_eq!(required(right), [], "{right:?}");
        }
    }

    #[test]
    fn texts_are_stored_in_nfc_and_counted_as_the_shorter_of_sent_and_stored() {
        let mut name = "カ\u{3099}ンタ\u{3099}ム".to_owned();
        assert_eq!(name.chars().count(), 6);
        let mut validator = Validator::default();
        validator.required::<Short>("name", &mut name);
        assert_eq!((name.as_str(), errors(validator)), ("ガンダム", vec![]));
        // NFC takes this letter apart.
        assert_eq!(required(&"\u{958}".repeat(5)), []);
        assert_eq!(required(&"\u{958}".repeat(6)), [("too_long".into(), Some(5))]);
    }

    #[test]
    fn a_time_zone_is_one_of_iana_s() {
        let fault = |zone: &str| {
            let mut validator = Validator::default();
            validator.time_zone("time_zone", &mut zone.to_owned());
            errors(validator).len()
        };
        for zone in ["Asia/Tokyo", "UTC", "Etc/GMT+9", "America/Argentina/Buenos_Aires", "Asia/Calcutta"] {
            assert_eq!(fault(zone), 0, "{zone}");
        }
        for zone in ["", "Mars/Phobos", "asia/tokyo", "Asia/Tokyo ", "+09:00", "JST-9"] {
            assert_eq!(fault(zone), 1, "{zone}");
        }
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
