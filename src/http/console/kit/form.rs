//! Forms: the fields that people fill in, what they typed, and what was wrong with it. A form becomes one of the
//! services' own messages by way of its JSON, so that the API and the console refuse the same things.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::de::DeserializeOwned;
use serde_json::Map;

use crate::formats;
use crate::http::body_faults::explain_rest;
use crate::http::console::kit::field::{Field, Kind};
use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::merge;
use crate::http::console::kit::merge::mark;
use crate::http::console::kit::typed;
use crate::http::console::kit::typed::Around;
use crate::http::extract::parse;
use crate::i18n;
use crate::i18n::Param;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::validation::Rules;

/// A form on a page.
pub struct Form {
    /// Tells the fields of two forms of a page apart.
    pub id: &'static str,
    pub action: String,
    pub fields: Vec<Field>,
    /// What is wrong with the whole of it.
    pub problem: Option<String>,
    /// The record's version that it was made of.
    pub version: Option<i64>,
    /// The text on its button.
    pub submit: &'static str,
    /// The page to go back to when it has been carried out, if it is another than usual.
    pub back: Option<String>,
}

impl Form {
    pub fn new(
        id: &'static str,
        action: impl Into<String>,
        submit: &'static str,
        fields: Vec<Field>,
    ) -> Self {
        Self { id, action: action.into(), fields, problem: None, version: None, submit, back: None }
    }

    /// Made of a record of this version: its fields tell what they hold.
    pub fn of_version(mut self, version: i64) -> Self {
        self.fields.iter_mut().for_each(|field| field.was = mark(&field.value));
        Self { version: Some(version), ..self }
    }

    /// The id of a field's control on the page.
    pub fn control(&self, field: &Field) -> String {
        format!("{}-{}", self.id, field.name)
    }

    pub fn has_more(&self) -> bool {
        self.fields.iter().any(|field| field.more)
    }

    /// Whether something under "more" needs to be seen.
    pub fn opens_more(&self) -> bool {
        self.fields.iter().any(|field| field.more && (field.error.is_some() || field.theirs.is_some()))
    }

    pub fn is_refused(&self) -> bool {
        self.problem.is_some() || self.fields.iter().any(|field| field.error.is_some())
    }

    /// The message of a new record.
    ///
    /// # Errors
    /// `invalid_fields`.
    pub fn read<T: DeserializeOwned + Rules>(&self, posted: &Fields, zone: Tz) -> Result<T, Error> {
        self.message(posted, zone, |_| true)
    }

    /// The message of a change, of these fields alone: one that was not typed over stays as it is, also where the form
    /// shows it shortened (a time without its seconds).
    ///
    /// # Errors
    /// `invalid_fields`.
    pub fn read_changes<T: DeserializeOwned + Rules>(
        &self,
        posted: &Fields,
        zone: Tz,
        changed: &BTreeSet<&str>,
    ) -> Result<T, Error> {
        self.message(posted, zone, |field| changed.contains(field.name))
    }

    fn message<T: DeserializeOwned + Rules>(
        &self,
        posted: &Fields,
        zone: Tz,
        matters: impl Fn(&Field) -> bool,
    ) -> Result<T, Error> {
        let mut body = Map::new();
        let mut validator = Vec::new();
        let around = Around { zone, currency: posted.get("currency").unwrap_or_default() };
        for field in self.fields.iter().filter(|field| matters(field)) {
            let Some(typed) = posted.get(field.name) else { continue };
            match typed::json(field, typed, &around) {
                Ok(Some(value)) => drop(body.insert(field.name.to_owned(), value)),
                Ok(None) => {}
                Err(fault) => validator.push(fault),
            }
        }
        if !validator.is_empty() {
            return Err(explain_rest::<T>(body, validator));
        }
        parse(&serde_json::to_vec(&body).expect("a map of plain values"))
    }

    /// Puts in what was typed, and what the form was made of. A field whose other value the user chose keeps that.
    pub fn fill(&mut self, posted: &Fields) {
        let is_typed = |field: &&mut Field| !field.is_secret() && !merge::gives_way(field, posted);
        for field in self.fields.iter_mut().filter(is_typed) {
            if let Some(typed) = posted.get(field.name) {
                field.value = typed.to_owned();
            }
            if let Some(was) = posted.get(&format!("was_{}", field.name)) {
                field.was = was.to_owned();
            }
        }
        if posted.version().is_some() {
            self.version = posted.version();
        }
        if let Some(back) = posted.back("back") {
            self.back = Some(back.to_owned());
        }
    }

    /// The form with what was typed beside what somebody else has changed since it was made.
    pub fn oppose(&mut self, posted: &Fields, version: i64, f: &Frame) {
        merge::oppose(&mut self.fields, posted, version, f);
        self.problem = Some(f.t("conflict-about"));
    }

    /// The form as it was sent, with what was wrong beside it.
    pub fn refused(mut self, posted: &Fields, error: &Error, frame: &Frame) -> Self {
        self.refuse(posted, error, frame);
        self
    }

    /// Puts in what was sent, and what was wrong beside it.
    pub fn refuse(&mut self, posted: &Fields, error: &Error, frame: &Frame) {
        self.fill(posted);
        let currency = posted.get("currency").unwrap_or_default();
        let mut placed = 0;
        for fault in &error.fields {
            if let Some(field) = self.fields.iter_mut().find(|field| field.name == fault.field) {
                field.error = Some(fault_text(frame, fault, field, currency));
                placed += 1;
            }
        }
        if placed == 0 || placed < error.fields.len() {
            self.problem = Some(why(frame, error));
        }
    }
}

/// What is wrong, for people before a page: some texts of the API speak of headers.
pub fn why(frame: &Frame, error: &Error) -> String {
    let code = error.code.as_str();
    // A limit of what is searched says what to do better than that a filter is wrong.
    if let (ErrorCode::InvalidParameter, [FieldError { code, limit: Some(limit), .. }]) =
        (error.code, &error.fields[..])
        && let Some(text) =
            i18n::text(frame.locale, &format!("field-{code}"), None, &[("limit", Param::Number(*limit))])
    {
        return text;
    }
    let wait = error.wait_seconds().unwrap_or(1);
    let params = [("seconds", Param::Number(wait))];
    let own = i18n::text(frame.locale, &format!("refused-{code}"), None, &params);
    own.or_else(|| i18n::text(frame.locale, code, Some("detail"), &params)).unwrap_or_else(|| code.to_owned())
}

/// What is wrong, field by field, for forms without a place beside each.
pub fn why_each(frame: &Frame, error: &Error) -> String {
    let text = |fault: &FieldError| fault_text(frame, fault, &Field::text("name"), "");
    let faults: Vec<String> = error.fields.iter().map(text).collect();
    if faults.is_empty() { why(frame, error) } else { faults.join(" ") }
}

/// What is wrong with a field. The limits of a password are on its length, and those of an amount are amounts, which the
/// word for the fault does not say.
fn fault_text(frame: &Frame, fault: &FieldError, field: &Field, currency: &str) -> String {
    let limit = |limit: i64| match field.kind {
        Kind::Amount if fault.code != "too_many_decimals" => {
            Param::Text(formats::amount(frame.locale, limit, currency))
        }
        _ => Param::Number(limit),
    };
    let params: Vec<_> = fault.limit.iter().map(|it| ("limit", limit(*it))).collect();
    let allowed = fault.allowed.iter().map(|it| ("allowed", Param::Text(it.clone()))).collect::<Vec<_>>();
    let named = || i18n::text(frame.locale, &format!("field-{}", fault.code), Some("allowed"), &allowed);
    let text = |family: &str| i18n::text(frame.locale, &format!("{family}{}", fault.code), None, &params);
    let of_secret = field.is_secret().then(|| text("refused-field-password_")).flatten();
    let found = of_secret.or_else(|| text("refused-field-"));
    let found = found.or_else(|| named().filter(|_| !allowed.is_empty())).or_else(|| text("field-"));
    found.unwrap_or_else(|| frame.t("refused-invalid_fields"))
}

/// Whether the form can be mended and sent again; what else a service says becomes a page of its own.
pub fn is_mendable(error: &Error) -> bool {
    !matches!(error.code, ErrorCode::NotFound | ErrorCode::Internal) && error.code.status() != 401
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::console::kit::merge::settled;
    use domain::meeting::record::{MeetingChanges, NewMeeting};

    fn form() -> Form {
        let fields = vec![
            Field::text("title").required().holding("初回"),
            Field::moment("met_at").required().holding("2026-03-02T18:00"),
            Field::number("duration_minutes"),
            Field::text("customer_id").required(),
        ];
        Form::new("meeting", "/meetings", "submit-save", fields)
    }

    fn posted(pairs: &[(&str, &str)]) -> Fields {
        let mut query = form_urlencoded::Serializer::new(String::new());
        Fields::parsed(query.extend_pairs(pairs).finish().as_bytes())
    }

    #[test]
    fn a_form_becomes_the_api_s_message_in_the_user_s_time() {
        let sent = posted(&[
            ("title", "訪問"),
            ("met_at", "2026-03-02T18:30"),
            ("duration_minutes", "１,０00"),
            ("customer_id", "0198c0de-0000-7000-8000-000000000000"),
        ]);
        let new: NewMeeting = form().read(&sent, Tz::Asia__Tokyo).unwrap();
        assert_eq!((new.title.as_str(), new.duration_minutes.map(|it| it.0)), ("訪問", Some(1_000)));
        assert_eq!(new.met_at.to_string(), "2026-03-02T09:30:00.000000Z");
    }

    #[test]
    fn what_is_not_typed_over_is_not_changed() {
        let sent = posted(&[("title", "初回"), ("met_at", "2026-03-02T18:00"), ("duration_minutes", "30")]);
        let form = form().of_version(1);
        let changed = settled(&form.fields, &sent, 1).unwrap();
        let changes: MeetingChanges = form.read_changes(&sent, Tz::Asia__Tokyo, &changed).unwrap();
        assert!(changes.title.is_none() && changes.met_at.is_none());
        assert_eq!(changes.duration_minutes.flatten().map(|it| it.0), Some(30));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let sent =
            posted(&[("title", ""), ("met_at", "soon"), ("duration_minutes", "long"), ("customer_id", "x")]);
        let error = form().read::<NewMeeting>(&sent, Tz::UTC).unwrap_err();
        let validator: Vec<_> =
            error.fields.iter().map(|fault| (fault.field.as_str(), &*fault.code)).collect();
        let of_shape = [("met_at", "invalid_time"), ("duration_minutes", "invalid_number")];
        assert_eq!(validator[..2], of_shape);
        assert_eq!(validator[2..], [("customer_id", "invalid_value"), ("title", "required")]);
    }
}
