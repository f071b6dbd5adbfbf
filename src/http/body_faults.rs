//! Every fault of a body at once (SPEC §2). serde stops at its first fault of shape, and a service checks values only
//! when the shape is right. So a faulty body is read again and again: each round notes a fault and sets its field aside,
//! with a stand-in where the field is required, until the rest has the right shape. Then the rules check the rest.

use std::collections::BTreeMap;

use kernel::error::{Error, ErrorCode, FieldError};
use kernel::validation::Rules;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::http::json_document::Document;

/// Faults that one answer names.
const FAULTS_MAX: usize = 100;
/// More rounds than any body needs: one for each of its fields, and for each stand-in of those that are required.
const ROUNDS_MAX: usize = 500;
/// Values for a required field that is missing or faulty; one of them has the right type. An enumeration names its own.
const STAND_INS: [fn() -> Value; 7] = [
    || json!("x"),
    || json!("0198c0de-0000-7000-8000-000000000000"),
    || json!("2026-01-01T00:00:00Z"),
    || json!(0),
    || json!(false),
    || json!({}),
    || json!([]),
];

/// What is wrong with a body that is no `T`.
pub fn explain<T: DeserializeOwned + Rules>(bytes: &[u8]) -> Error {
    let Ok(Document { value, repeated }) = serde_json::from_slice(bytes) else {
        return Error::new(ErrorCode::MalformedJson);
    };
    let Value::Object(fields) = value else {
        return Error::fields(vec![FieldError::new("", "invalid_type").allowing("object")]);
    };
    let faults = repeated.into_iter().map(|path| FieldError::new(path, "duplicate_field")).collect();
    Error::fields(Body { fields, faults, stand_ins: BTreeMap::new() }.check::<T>())
}

/// These faults, and those of the other fields of a body.
pub fn explain_rest<T: DeserializeOwned + Rules>(
    fields: Map<String, Value>,
    faults: Vec<FieldError>,
) -> Error {
    let stand_ins = faults.iter().map(|fault| (fault.field.clone(), 0)).collect();
    Error::fields(Body { fields, faults, stand_ins }.check::<T>())
}

/// A body without the fields that were faulty so far.
struct Body {
    fields: Map<String, Value>,
    faults: Vec<FieldError>,
    /// The fields whose value is not the client's, and which stand-in they have.
    stand_ins: BTreeMap<String, usize>,
}

impl Body {
    /// Finds its faults. Every round takes a field away or tries the next stand-in of one.
    fn check<T: DeserializeOwned + Rules>(mut self) -> Vec<FieldError> {
        for _ in 0..ROUNDS_MAX {
            let error = match serde_path_to_error::deserialize::<_, T>(&self.fields) {
                Ok(body) => {
                    let is_sent = |fault: &FieldError| !self.stand_ins.contains_key(top(&fault.field));
                    let of_values: Vec<_> = body.faults().into_iter().filter(is_sent).collect();
                    self.faults.extend(of_values);
                    break;
                }
                Err(error) => error,
            };
            let (path, message) = (error.path().to_string(), error.inner().to_string());
            let is_nested = error.path().iter().count() > 1;
            let fault = fault(&path, &message);
            let goes_on = match &*fault.code {
                "unknown_field" if !is_nested => self.remove_unknown(&message),
                _ => self.set_aside(fault, &message),
            };
            if !goes_on {
                break;
            }
        }
        if self.faults.is_empty() {
            self.faults.push(FieldError::new("", "invalid_value"));
        }
        self.faults.truncate(FAULTS_MAX);
        self.faults
    }

    /// Notes a fault and changes the body so that the next round gets past it; false if nothing helps.
    fn set_aside(&mut self, fault: FieldError, message: &str) -> bool {
        let field = top(&fault.field).to_owned();
        match (self.stand_ins.get(&field), &*fault.code) {
            (None, "required") if !self.fields.contains_key(&field) => {
                self.faults.push(fault);
                self.stand_in(field, 0, message)
            }
            (Some(_), "required") if !self.fields.contains_key(&field) => self.stand_in(field, 0, message),
            // The stand-in is no right one, or the client's value is wrong.
            (Some(tried), _) if self.fields.contains_key(&field) => self.stand_in(field, tried + 1, message),
            _ => {
                self.faults.push(fault);
                // It counts as a field with a stand-in even if the body can do without.
                self.stand_ins.insert(field.clone(), 0);
                self.fields.remove(&field).is_some()
            }
        }
    }

    /// Takes all unknown fields away at once: there may be thousands.
    fn remove_unknown(&mut self, message: &str) -> bool {
        let known = choices(message);
        let is_known = |name: &str| known.iter().any(|known| known == name);
        let unknown: Vec<String> = self.fields.keys().filter(|name| !is_known(name)).cloned().collect();
        for name in &unknown {
            self.fields.remove(name);
            let fault = FieldError::new(name.as_str(), "unknown_field");
            self.faults.push(if known.is_empty() { fault } else { fault.allowing(known.join(", ")) });
        }
        !unknown.is_empty()
    }

    fn stand_in(&mut self, field: String, index: usize, message: &str) -> bool {
        let of_enumeration =
            choices(message).into_iter().next().filter(|_| message.starts_with("unknown variant"));
        let value = of_enumeration.map(Value::String).or_else(|| STAND_INS.get(index).map(|value| value()));
        let Some(value) = value else { return false };
        self.fields.insert(field.clone(), value);
        self.stand_ins.insert(field, index);
        true
    }
}

/// The field of the body itself in a path such as `keep.name` or `ids[3]`.
fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or_default()
}

/// serde's message as a field, a stable word and what is allowed.
pub fn fault(path: &str, message: &str) -> FieldError {
    let path = if path == "." { "" } else { path };
    let named = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
    let within = |field: &str| match path.rsplit_once('.') {
        Some((parent, _)) if path.ends_with(field) => format!("{parent}.{field}"),
        _ => field.to_owned(),
    };
    let known = choices(message).join(", ");
    if let Some(field) = named("unknown field `") {
        let fault = FieldError::new(within(field), "unknown_field");
        return if known.is_empty() { fault } else { fault.allowing(known) };
    }
    if let Some(field) = named("missing field `") {
        let field = if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
        return FieldError::new(field, "required");
    }
    if let Some(field) = named("duplicate field `") {
        return FieldError::new(field, "duplicate_field");
    }
    if message.starts_with("unknown variant") {
        return FieldError::new(path, "invalid_choice").allowing(known);
    }
    if message.contains("not an RFC 3339 time") {
        return FieldError::new(path, "invalid_time");
    }
    if message.contains("not a day of the calendar") {
        return FieldError::new(path, "invalid_date");
    }
    if message == "expected a UUID" {
        return FieldError::new(path, "invalid_value").allowing("UUID");
    }
    let is_type = message.starts_with("invalid type") || message.starts_with("expected value");
    let fault = FieldError::new(path, if is_type { "invalid_type" } else { "invalid_value" });
    match expected(message).filter(|_| is_type) {
        Some(kind) => fault.allowing(kind),
        None => fault,
    }
}

/// The names in backquotes that serde allows.
fn choices(message: &str) -> Vec<String> {
    // The wrong name comes first, and may hold anything.
    let Some((_, allowed)) = message.rsplit_once("`, expected ") else { return Vec::new() };
    allowed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The type that serde expects, as JSON Schema names it.
fn expected(message: &str) -> Option<&'static str> {
    let (_, expected) = message.rsplit_once(", expected ")?;
    let words: [(&str, &str); 12] = [
        ("a whole number", "integer"),
        ("a string", "string"),
        ("a borrowed string", "string"),
        ("string or map", "string"),
        ("a boolean", "boolean"),
        ("a sequence", "array"),
        ("a map", "object"),
        ("struct ", "object"),
        ("i", "integer"),
        ("u", "integer"),
        ("f", "number"),
        ("enum ", "string"),
    ];
    let is_number = |word: &str| word.len() > 1 && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    let fits = |(start, _): &&(&str, &str)| match *start {
        "i" | "u" | "f" => expected.starts_with(start) && is_number(expected),
        start => expected.starts_with(start),
    };
    words.iter().find(fits).map(|(_, kind)| *kind)
}
