//! The fields of forms, and how what is typed becomes what the API takes.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use kernel::clock::Timestamp;
use kernel::error::FieldError;

/// All but what is plain in any part of an address of mail.
const OUTSIDE_ATOMS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'+');

/// What a field takes.
pub enum Kind {
    /// A line; the word is the input's type and says which keyboard a telephone shows.
    Line(&'static str),
    Area,
    /// A whole number.
    Number,
    /// A moment in the user's time zone.
    Moment,
    Choice(Vec<Choice>),
}

/// One of the values to choose from.
pub struct Choice {
    pub value: String,
    pub label: String,
}

/// A field of a form.
pub struct Field {
    /// As the API names it.
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// Stands under "more".
    pub more: bool,
    pub value: String,
    pub error: Option<String>,
    pub autocomplete: &'static str,
    /// A text that says more than the label.
    pub hint: Option<&'static str>,
}

impl Field {
    fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
            more: false,
            value: String::new(),
            error: None,
            autocomplete: "off",
            hint: None,
        }
    }

    pub fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Line("text"))
    }

    pub fn email(name: &'static str) -> Self {
        Self::new(name, Kind::Line("email"))
    }

    pub fn phone(name: &'static str) -> Self {
        Self::new(name, Kind::Line("tel"))
    }

    pub fn password(name: &'static str, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..Self::new(name, Kind::Line("password")) }
    }

    pub fn area(name: &'static str) -> Self {
        Self::new(name, Kind::Area)
    }

    pub fn number(name: &'static str) -> Self {
        Self::new(name, Kind::Number)
    }

    pub fn moment(name: &'static str) -> Self {
        Self::new(name, Kind::Moment)
    }

    pub fn choice(name: &'static str, choices: Vec<Choice>) -> Self {
        Self::new(name, Kind::Choice(choices))
    }

    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub fn more(self) -> Self {
        Self { more: true, ..self }
    }

    pub fn hint(self, key: &'static str) -> Self {
        Self { hint: Some(key), ..self }
    }

    /// With what it holds to begin with.
    pub fn holding(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    /// With what it holds to begin with, or empty.
    pub fn holding_some(self, value: Option<impl ToString>) -> Self {
        self.holding(value.map(|value| value.to_string()).unwrap_or_default())
    }

    /// Whether a choice is the one made.
    pub fn chose(&self, choice: &Choice) -> bool {
        choice.value == self.value
    }

    pub fn is_area(&self) -> bool {
        matches!(self.kind, Kind::Area)
    }

    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Number)
    }

    /// What there is to choose from, if anything.
    pub fn choices(&self) -> Option<&[Choice]> {
        match &self.kind {
            Kind::Choice(choices) => Some(choices),
            _ => None,
        }
    }

    /// The `type` of its input.
    pub fn input_type(&self) -> &'static str {
        match self.kind {
            Kind::Line(input) => input,
            Kind::Moment => "datetime-local",
            // Not "number": people write 1,200,000, and in wide digits.
            Kind::Number | Kind::Area | Kind::Choice(_) => "text",
        }
    }

    /// The address of its value as a link. What stands in it is part of the address and no header of the mail
    /// (RFC 6068 §2).
    pub fn mailto(&self) -> String {
        let (mailbox, host) = self.value.rsplit_once('@').unwrap_or((&self.value, ""));
        let encoded = |part: &str| utf8_percent_encode(part, OUTSIDE_ATOMS).to_string();
        format!("mailto:{}@{}", encoded(mailbox), encoded(host))
    }

    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Line("password"))
    }

    /// What was typed, as the API writes it.
    ///
    /// # Errors
    /// What is wrong with its shape.
    pub fn json(&self, typed: &str, zone: Tz) -> Result<Option<Value>, FieldError> {
        let is_text = matches!(self.kind, Kind::Line(_) | Kind::Area);
        if typed.trim().is_empty() {
            return match self.required {
                // The services say what they say of an empty text.
                true if is_text => Ok(Some(typed.into())),
                true => Err(FieldError::new(self.name, "required")),
                false => Ok(Some(Value::Null)),
            };
        }
        match self.kind {
            Kind::Number => {
                let plain: String =
                    typed.trim().chars().filter(|c| !",，".contains(*c)).map(narrow).collect();
                let number = plain.parse::<i64>();
                number
                    .map(|number| Some(number.into()))
                    .map_err(|_| FieldError::new(self.name, "invalid_number"))
            }
            Kind::Moment => match moment(typed, zone) {
                Some(time) => Ok(Some(time.to_string().into())),
                None => Err(FieldError::new(self.name, "invalid_time")),
            },
            Kind::Line(_) | Kind::Area | Kind::Choice(_) => Ok(Some(typed.into())),
        }
    }
}

/// The digit that a wide one (U+FF10 to U+FF19) stands for.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        _ => c,
    }
}

/// Reads what a browser makes of `<input type="datetime-local">`. An hour that the clock skips gives `None`; of one
/// that comes twice the first is meant.
pub fn moment(typed: &str, zone: Tz) -> Option<Timestamp> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(typed, format).ok())?;
    let time = zone.from_local_datetime(&local).earliest()?;
    Timestamp::try_from(time.to_utc()).ok()
}

/// What such an input shows.
pub fn local(time: Timestamp, zone: Tz) -> String {
    time.utc().with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_adds_no_header_to_a_mail() {
        for (address, link) in [
            ("sato.h+crm@example.co.jp", "mailto:sato.h+crm@example.co.jp"),
            (
                "a@b.example?bcc=c@d.example&subject=x",
                "mailto:a%40b.example%3Fbcc%3Dc@d.example%26subject%3Dx",
            ),
            ("a?cc=x@b.example", "mailto:a%3Fcc%3Dx@b.example"),
        ] {
            assert_eq!(Field::email("email").holding(address).mailto(), link);
        }
    }

    #[test]
    fn an_hour_that_a_clock_skips_is_no_time() {
        assert!(moment("2026-03-29T02:30", Tz::Europe__Berlin).is_none());
        assert!(moment("2026-10-25T02:30", Tz::Europe__Berlin).is_some());
        let time = moment("2026-03-02T18:30", Tz::Asia__Tokyo).unwrap();
        assert_eq!(local(time, Tz::Asia__Tokyo), "2026-03-02T18:30");
    }
}
