//! The fields of forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::console::kit::choice::{Choice, Search, Source};

/// All but what is plain in any part of an address of mail.
const OUTSIDE_ATOMS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'+');

/// What a field takes.
pub enum Kind {
    /// A line; the word is the input's type and says which keyboard a telephone shows.
    Line(&'static str),
    Area,
    /// A whole number.
    Number,
    /// An amount in major units of the currency that the form's field `currency` names.
    Amount,
    /// A moment in the user's time zone.
    Moment,
    /// A day of the calendar.
    Day,
    Choice(Vec<Choice>),
    /// A customer or a person.
    Search(Search),
}

/// What somebody else has made of a field while it was changed here.
pub enum Theirs {
    /// This, as people read it: one of the two must be chosen.
    Collides(String),
    /// What the field holds now: here it was left as it was.
    TakenOver,
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
    /// A hash of what it held when the form was made (see [`merge`](crate::http::console::kit::merge)).
    pub was: String,
    /// What somebody else has made of it meanwhile.
    pub theirs: Option<Theirs>,
    pub autocomplete: &'static str,
    /// A text that says more than the label.
    pub hint: Option<&'static str>,
    /// Where a page's script finds the people whom the text may mention.
    pub mentions: Option<String>,
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
            was: String::new(),
            theirs: None,
            autocomplete: "off",
            hint: None,
            mentions: None,
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

    pub fn day(name: &'static str) -> Self {
        Self::new(name, Kind::Day)
    }

    pub fn amount(name: &'static str) -> Self {
        Self::new(name, Kind::Amount)
    }

    pub fn search(name: &'static str, source: Source) -> Self {
        let (chosen, found, typed) = (None, Vec::new(), String::new());
        Self::new(name, Kind::Search(Search { source, chosen, found, typed, fault: None }))
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

    /// May mention people of this source.
    pub fn mentioning(self, source: Source) -> Self {
        Self { mentions: Some(source.address()), ..self }
    }

    /// With what it holds to begin with.
    pub fn holding(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    /// With what it holds to begin with, or empty.
    pub fn holding_some(self, value: Option<impl ToString>) -> Self {
        self.holding(value.map(|value| value.to_string()).unwrap_or_default())
    }

    /// With whom it holds to begin with, if anybody.
    pub fn choosing(mut self, choice: Option<Choice>) -> Self {
        self.value = choice.as_ref().map(|choice| choice.value.clone()).unwrap_or_default();
        if let Kind::Search(search) = &mut self.kind {
            search.chosen = choice;
        }
        self
    }

    /// Whether a choice is the one made.
    pub fn chose(&self, choice: &Choice) -> bool {
        choice.value == self.value
    }

    pub fn is_area(&self) -> bool {
        matches!(self.kind, Kind::Area)
    }

    /// Which keyboard a telephone shows, where the type does not say.
    pub fn input_mode(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Number => Some("numeric"),
            Kind::Amount => Some("decimal"),
            _ => None,
        }
    }

    /// The search of a customer or a person, if it is one.
    pub fn searched(&self) -> Option<&Search> {
        match &self.kind {
            Kind::Search(search) => Some(search),
            _ => None,
        }
    }

    /// What somebody else made of it, where one of the two must be chosen.
    pub fn collision(&self) -> Option<&str> {
        match &self.theirs {
            Some(Theirs::Collides(theirs)) => Some(theirs),
            _ => None,
        }
    }

    /// Whether it holds what somebody else has changed meanwhile.
    pub fn is_taken_over(&self) -> bool {
        matches!(self.theirs, Some(Theirs::TakenOver))
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
            Kind::Day => "date",
            // Not "number": people write 1,200,000, and in wide digits.
            Kind::Number | Kind::Amount | Kind::Area | Kind::Choice(_) | Kind::Search(_) => "text",
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
}
