//! What changed in a record, with its values as people read them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::lookups::{Names, References};
use domain::changes::FieldChange;
use kernel::clock::Timestamp;
use kernel::ids::Id;

/// A field before and after, as people read it.
pub struct Change {
    pub label: String,
    pub from: String,
    pub to: String,
}

/// Whom the changed fields refer to.
pub fn references<'a>(changes: impl IntoIterator<Item = &'a FieldChange>) -> References {
    let (mut users, mut customers) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        let ids = [&change.from, &change.to].into_iter().filter_map(id);
        if change.field == "customer_id" { customers.extend(ids) } else { users.extend(ids) }
    }
    References::default().users(users).customers(customers)
}

fn id(value: &Value) -> Option<Id> {
    Id::parse(value.as_str()?)
}

/// Writes values of a record's fields as people read them.
pub struct Values<'a> {
    pub f: &'a Frame,
    pub names: &'a Names,
    /// The kind of record: `customer`, `task`.
    pub kind: &'a str,
    /// Of its amounts.
    pub currency: String,
}

impl Values<'_> {
    /// A change with its values as texts.
    pub fn change(&self, FieldChange { field, from, to }: &FieldChange) -> Change {
        Change {
            label: self.f.known_word("label", field).unwrap_or_else(|| field.clone()),
            from: self.text(field, from),
            to: self.text(field, to),
        }
    }

    fn text(&self, field: &str, value: &Value) -> String {
        match value {
            Value::Null => "–".to_owned(),
            Value::Number(number) => match number.as_i64() {
                Some(amount) if field == "amount" => self.f.money(&amount, &self.currency),
                Some(number) => self.f.number(&number),
                None => number.to_string(),
            },
            Value::String(text) => self.words(field, text),
            Value::Array(values) => {
                let texts: Vec<_> = values.iter().map(|value| self.text(field, value)).collect();
                if texts.is_empty() { "–".to_owned() } else { texts.join(&self.f.t("list-separator")) }
            }
            Value::Bool(_) | Value::Object(_) => value.to_string(),
        }
    }

    fn words(&self, field: &str, text: &str) -> String {
        if let Some(id) = Id::parse(text) {
            return match field {
                "customer_id" => self.names.customer_even_if_deleted(id),
                _ => Some(self.names.user(self.f, id)),
            }
            .unwrap_or_else(|| text.to_owned());
        }
        if let Some(time) = Timestamp::parse(text).filter(|_| field.ends_with("_at")) {
            return self.f.second(&time);
        }
        let family = match (field, self.kind) {
            ("status", "customer") => "status",
            ("status", kind) => kind,
            (other, _) => other,
        };
        self.f.known_word(family, text).unwrap_or_else(|| text.to_owned())
    }
}
