//! Values of the simulated database, and how they are compared, converted and shown as JSON.

use std::cmp::Ordering;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use kernel::clock::Timestamp;
use serde_json::value::RawValue;
use store::sql::Arg;

/// A value of a column or an expression. An id is its text, which sorts as PostgreSQL's `uuid` does.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Json(Arc<str>),
    /// Microseconds since 1970.
    Time(i64),
    /// A duration in microseconds.
    Span(i64),
    List(Vec<Value>),
}

/// The value of a primary key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Int(i64),
    Text(Arc<str>),
}

/// The types that statements name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Int,
    Text,
    Json,
    Time,
    Span,
}

impl Type {
    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bigint" => Self::Int,
            "uuid" | "text" => Self::Text,
            "json" => Self::Json,
            "timestamptz" => Self::Time,
            "interval" => Self::Span,
            _ => return None,
        })
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Null => state.write_u8(0),
            Self::Bool(is) => is.hash(state),
            Self::Int(number) | Self::Time(number) | Self::Span(number) => number.hash(state),
            Self::Float(number) => number.to_bits().hash(state),
            Self::Text(text) | Self::Json(text) => text.hash(state),
            Self::List(values) => values.hash(state),
        }
    }
}

impl From<&Arg> for Value {
    fn from(arg: &Arg) -> Self {
        match arg {
            Arg::Id(id) => Self::text(&id.to_string()),
            Arg::Text(text) => Self::text(text),
            Arg::Int(number) => Self::Int(*number),
            Arg::Time(time) => Self::Time(time.micros()),
            Arg::Bytes(_) => Self::Null,
        }
    }
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// The value as a primary key.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Int(number) => Some(Key::Int(*number)),
            Self::Text(text) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }

    /// The text; `None` for NULL.
    pub fn shown(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) | Self::Json(text) => text.to_string(),
            Self::Int(number) => number.to_string(),
            other => other.json(),
        })
    }

    /// How two values are ordered; `None` if one is NULL, or they can't be compared.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b))
            | (Self::Time(a), Self::Time(b))
            | (Self::Span(a), Self::Span(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Converts to a type; NULL stays.
    ///
    /// # Errors
    /// When the value is not of that type.
    pub fn cast(self, to: Type) -> Result<Self, String> {
        Ok(match (self, to) {
            (Self::Null, _) => Self::Null,
            (Self::Int(number), Type::Int) => Self::Int(number),
            (Self::Float(number), Type::Int) => Self::Int(number.round() as i64),
            (Self::Text(text), Type::Int) => {
                Self::Int(text.parse().map_err(|_| format!("no number: {text}"))?)
            }
            (Self::Text(text) | Self::Json(text), Type::Json) => Self::Json(text),
            (Self::Time(time), Type::Time) => Self::Time(time),
            (Self::Text(text), Type::Time) => {
                Self::Time(Timestamp::parse(&text).ok_or_else(|| format!("no time: {text}"))?.micros())
            }
            (value, Type::Text) => value.shown().map_or(Self::Null, |text| Self::text(&text)),
            (value, to) => return Err(format!("{value:?} is no {to:?}")),
        })
    }

    /// Reads a JSON value as this type.
    ///
    /// # Errors
    /// When it is not of that type.
    pub fn of_json(json: &RawValue, of: Type) -> Result<Self, String> {
        let text = json.get();
        if of == Type::Json {
            return Ok(Self::Json(text.into()));
        }
        if text == "null" {
            return Ok(Self::Null);
        }
        let value = match serde_json::from_str(text).map_err(|error| error.to_string())? {
            serde_json::Value::String(text) => Self::text(&text),
            serde_json::Value::Number(number) => number.as_i64().map_or(Self::Null, Self::Int),
            serde_json::Value::Bool(is) => Self::Bool(is),
            _ => Self::text(text),
        };
        value.cast(of)
    }

    /// The value as JSON.
    pub fn json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(is) => is.to_string(),
            Self::Int(number) | Self::Span(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => serde_json::to_string(text).expect("a text"),
            Self::Json(text) => text.to_string(),
            Self::Time(micros) => format!("\"{}\"", Timestamp::from_micros(*micros)),
            Self::List(values) => list(values.iter().map(Self::json)),
        }
    }
}

/// A JSON array of these values.
pub fn list(values: impl Iterator<Item = String>) -> String {
    let mut all = "[".to_owned();
    for (place, value) in values.enumerate() {
        let _ = write!(all, "{}{value}", if place == 0 { "" } else { ", " });
    }
    all + "]"
}
