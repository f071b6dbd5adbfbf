//! What a column of a list holds of a record, as a page shows it and as a file has it.

use crate::formats;
use crate::http::console::kit::frame::Frame;
use kernel::clock::Timestamp;
use kernel::ids::Id;

/// What a page shows where there is nothing.
const NOTHING: &str = "–";

/// A row of a list.
pub trait Cells {
    /// What the row has in a column.
    fn cell(&self, column: &str, f: &Frame) -> Cell;
}

/// What a column holds.
pub enum Cell {
    /// In the reader's language, or as somebody typed it.
    Text(String),
    Time(Timestamp),
    /// Somebody's id and name.
    Person(Id, String),
    /// An amount in its currency's minor unit.
    Money(i64, String),
    Nothing,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn some(text: Option<&String>) -> Self {
        text.map_or(Self::Nothing, Self::text)
    }

    pub fn moment(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Nothing, Self::Time)
    }

    /// As a page shows it.
    pub fn shown(&self, f: &Frame) -> String {
        match self {
            Self::Text(text) | Self::Person(_, text) => text.clone(),
            Self::Time(time) => f.time(time),
            Self::Money(amount, currency) => f.money(amount, currency),
            Self::Nothing => NOTHING.to_owned(),
        }
    }

    /// The id and name of somebody.
    pub fn person(&self) -> Option<(&Id, &str)> {
        match self {
            Self::Person(id, name) => Some((id, name)),
            _ => None,
        }
    }

    pub fn some_person(id: Option<Id>, name: Option<&String>) -> Self {
        id.zip(name).map_or(Self::Nothing, |(id, name)| Self::Person(id, name.clone()))
    }

    /// The moment of a `time` element.
    pub fn time(&self) -> Option<&Timestamp> {
        match self {
            Self::Time(time) => Some(time),
            _ => None,
        }
    }

    /// As spreadsheets read it: a moment in the reader's zone; an amount as a number with the currency's decimals, and its
    /// currency in a cell of its own.
    pub fn written(&self, f: &Frame) -> Vec<String> {
        match self {
            Self::Text(text) | Self::Person(_, text) => vec![text.clone()],
            Self::Time(time) => vec![formats::sortable_moment(f.locale, *time, f.zone)],
            Self::Money(amount, currency) => vec![formats::decimal(*amount, currency), currency.clone()],
            Self::Nothing => vec![String::new()],
        }
    }
}
