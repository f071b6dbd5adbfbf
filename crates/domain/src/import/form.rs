//! How a file is to be read, as a client says it. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::import::record::{DateOrder, DecimalMark, ImportKind, MatchOn, Reading};
use kernel::error::{Error, FieldError};
use kernel::patch::{Change, present, some};
use kernel::text_schemas::TimeZone;
use kernel::validation::{Rules, Validator, faults_of};

/// The names of the encodings that CSV may have.
pub const ENCODINGS: [&str; 4] = ["UTF-8", "UTF-16LE", "UTF-16BE", "Shift_JIS"];

/// Changes of how a file is read. It is read again, and previewed anew.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportChanges {
    /// The fields of the columns, by their headers; a column that is not named, or is null, is passed over. Null: by the headers alone.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    pub mapping: Change<BTreeMap<String, Option<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = MatchOn, required = false)]
    pub match_on: Option<MatchOn>,
    /// Of CSV: `UTF-8`, `UTF-16LE`, `UTF-16BE` or `Shift_JIS`. Null: as it is detected.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schema(value_type = Option<String>, pattern = "^(UTF-8|UTF-16LE|UTF-16BE|Shift_JIS)$")]
    pub encoding: Change<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = DateOrder, required = false)]
    pub date_order: Option<DateOrder>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = DecimalMark, required = false)]
    pub decimal: Option<DecimalMark>,
    /// Of days and times that name no zone.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = TimeZone, required = false)]
    pub time_zone: Option<String>,
}

/// What is wanted of a file.
#[derive(Clone, Debug)]
pub struct ImportForm {
    pub kind: ImportKind,
    pub settings: ImportChanges,
}

/// The name of an encoding as it is known; `None` if it is not.
fn known_encoding(name: &str) -> Option<&'static str> {
    ENCODINGS.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

impl ImportForm {
    /// Reads the fields of a form.
    ///
    /// # Errors
    /// `invalid_fields` with every error.
    pub fn of(fields: &[(String, String)]) -> Result<Self, Error> {
        let (mut faults, mut kind, mut settings) = (Vec::new(), None, ImportChanges::default());
        let mut seen = Vec::new();
        for (name, value) in fields {
            if seen.contains(&name) {
                faults.push(FieldError::new(name.as_str(), "duplicate_field"));
                continue;
            }
            seen.push(name);
            match name.as_str() {
                "kind" => kind = chosen(name, ImportKind::parse(value), ImportKind::choices, &mut faults),
                // A form sends fields that were left empty.
                _ if value.trim().is_empty() => {}
                "mapping" => match serde_json::from_str(value) {
                    Ok(mapping) => settings.mapping = Some(Some(mapping)),
                    Err(_) => faults.push(FieldError::new(name.as_str(), "invalid_type")),
                },
                "match_on" => {
                    settings.match_on = chosen(name, MatchOn::parse(value), MatchOn::choices, &mut faults);
                }
                "encoding" => settings.encoding = Some(Some(value.clone())),
                "date_order" => {
                    settings.date_order =
                        chosen(name, DateOrder::parse(value), DateOrder::choices, &mut faults);
                }
                "decimal" => {
                    settings.decimal =
                        chosen(name, DecimalMark::parse(value), DecimalMark::choices, &mut faults);
                }
                "time_zone" => settings.time_zone = Some(value.clone()),
                name => {
                    faults.push(FieldError::new(name.chars().take(40).collect::<String>(), "unknown_field"))
                }
            }
        }
        if kind.is_none() && !faults.iter().any(|fault| fault.field == "kind") {
            faults.push(FieldError::new("kind", "required"));
        }
        faults.extend(settings.clone().faults());
        match kind {
            Some(kind) if faults.is_empty() => Ok(Self { kind, settings: settings.checked()? }),
            _ => Err(Error::fields(faults)),
        }
    }
}

fn chosen<T>(
    name: &str,
    found: Option<T>,
    choices: fn() -> String,
    faults: &mut Vec<FieldError>,
) -> Option<T> {
    if found.is_none() {
        faults.push(FieldError::new(name, "invalid_choice").allowing(choices()));
    }
    found
}

impl ImportChanges {
    /// Checks what can be checked without the file.
    ///
    /// # Errors
    /// `invalid_fields` with every error.
    pub fn checked(mut self) -> Result<Self, Error> {
        let (mut validator, mut faults) = (Validator::default(), Vec::new());
        validator.time_zone("time_zone", &mut self.time_zone);
        if let Some(Some(name)) = &mut self.encoding {
            match known_encoding(name) {
                Some(known) => known.clone_into(name),
                None => {
                    faults.push(FieldError::new("encoding", "invalid_choice").allowing(ENCODINGS.join(", ")))
                }
            }
        }
        faults.extend(faults_of(validator.ok(())));
        if faults.is_empty() { Ok(self) } else { Err(Error::fields(faults)) }
    }

    /// How a file of a kind is read, once its headers are known: as before, but for these changes. Without anything before, by
    /// the headers alone, and in the caller's zone.
    ///
    /// # Errors
    /// `invalid_fields` for a mapping or a match that does not fit.
    pub fn reading(
        &self,
        kind: ImportKind,
        headers: &[String],
        before: Option<&Reading>,
        zone: &str,
    ) -> Result<Reading, Error> {
        let mapping = match (&self.mapping, before) {
            (Some(Some(mapping)), _) => crate::import::mapping::check(kind, headers, mapping.clone())?,
            // In another encoding the headers are others.
            (None, Some(before)) if before.mapping.keys().all(|header| headers.contains(header)) => {
                before.mapping.clone()
            }
            _ => crate::import::mapping::automatic(kind, headers),
        };
        let otherwise =
            if kind == ImportKind::Customers && !mapping.values().any(|name| name == "external_id") {
                MatchOn::Email
            } else {
                MatchOn::ExternalId
            };
        let match_on = self.match_on.or(before.map(|before| before.match_on)).unwrap_or(otherwise);
        if match_on == MatchOn::Email && kind != ImportKind::Customers {
            let fault = FieldError::new("match_on", "invalid_choice").allowing(MatchOn::ExternalId.as_str());
            return Err(Error::fields(vec![fault]));
        }
        let date_order = self.date_order.or(before.map(|before| before.date_order)).unwrap_or(DateOrder::Ymd);
        let decimal = self.decimal.or(before.map(|before| before.decimal)).unwrap_or(DecimalMark::Point);
        let time_zone = self.time_zone.clone().or_else(|| before.map(|before| before.time_zone.clone()));
        let time_zone = time_zone.unwrap_or_else(|| zone.to_owned());
        Ok(Reading { mapping, match_on, date_order, decimal, time_zone })
    }
}

impl Rules for ImportChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(self.checked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Result<ImportForm, Vec<(String, String)>> {
        let owned: Vec<_> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let faults = |error: Error| {
            error.fields.into_iter().map(|fault| (fault.field, fault.code.into_owned())).collect()
        };
        ImportForm::of(&owned).map_err(faults)
    }

    #[test]
    fn a_form_says_its_kind_and_how_the_file_is_read() {
        let read = form(&[
            ("kind", "deals"),
            ("mapping", r#"{"A": "title", "B": null}"#),
            ("encoding", "shift_jis"),
            ("decimal", ","),
            ("match_on", ""),
        ])
        .unwrap();
        assert_eq!(read.settings.encoding, Some(Some("Shift_JIS".to_owned())));
        let headers = ["A".to_owned(), "B".to_owned()];
        let reading = read.settings.reading(read.kind, &headers, None, "Asia/Tokyo").unwrap();
        assert_eq!((reading.decimal, reading.match_on), (DecimalMark::Comma, MatchOn::ExternalId));
        assert_eq!(reading.mapping, BTreeMap::from([("A".to_owned(), "title".to_owned())]));
        assert_eq!(reading.time_zone, "Asia/Tokyo");
    }

    #[test]
    fn every_fault_of_a_form_is_told() {
        let faults = form(&[
            ("kind", "people"),
            ("mapping", "[1]"),
            ("encoding", "latin1"),
            ("time_zone", "Mars/Phobos"),
            ("date_order", "ydm"),
            ("colour", "red"),
            ("kind", "deals"),
        ]);
        let mut fields: Vec<_> = faults.unwrap_err().into_iter().map(|(field, _)| field).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["colour", "date_order", "encoding", "kind", "kind", "mapping", "time_zone"]);
        assert_eq!(form(&[]).unwrap_err(), [("kind".to_owned(), "required".to_owned())]);
    }

    #[test]
    fn only_customers_are_found_by_their_address() {
        let by_email = ImportChanges { match_on: Some(MatchOn::Email), ..ImportChanges::default() };
        assert!(by_email.reading(ImportKind::Customers, &[], None, "UTC").is_ok());
        assert!(by_email.reading(ImportKind::Tasks, &[], None, "UTC").is_err());
        let plain = ImportChanges::default();
        let by =
            |headers: &[String]| plain.reading(ImportKind::Customers, headers, None, "UTC").unwrap().match_on;
        assert_eq!(by(&["氏名".to_owned()]), MatchOn::Email);
        assert_eq!(by(&["氏名".to_owned(), "管理番号".to_owned()]), MatchOn::ExternalId);
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let headers = ["氏名".to_owned(), "X".to_owned()];
        let mapping = BTreeMap::from([("X".to_owned(), Some("name".to_owned()))]);
        let first = ImportChanges { mapping: Some(Some(mapping)), ..ImportChanges::default() };
        let before = first.reading(ImportKind::Customers, &headers, None, "Asia/Tokyo").unwrap();
        let dmy = ImportChanges { date_order: Some(DateOrder::Dmy), ..ImportChanges::default() };
        let after = dmy.reading(ImportKind::Customers, &headers, Some(&before), "UTC").unwrap();
        assert_eq!(after, Reading { date_order: DateOrder::Dmy, ..before.clone() });
        let anew = ImportChanges { mapping: Some(None), ..ImportChanges::default() };
        let anew = anew.reading(ImportKind::Customers, &headers, Some(&before), "UTC").unwrap();
        assert_eq!(anew.mapping, BTreeMap::from([("氏名".to_owned(), "name".to_owned())]));
    }
}
