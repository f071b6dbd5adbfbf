//! What an event changed of its record, field by field. Pure.
//!
//! The data of an event carries the whole record after it (decision 3). So what changed is the difference to the record
//! that an event before it carries.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use kernel::ids::Id;

/// Fields that say which state of the record it is, and change with every event.
const OF_THE_STATE: [&str; 4] = ["id", "version", "created_at", "updated_at"];

/// A field before and after an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    #[schema(example = "status")]
    pub field: String,
    #[schema(value_type = serde_json::Value, example = "LEAD")]
    pub from: Value,
    #[schema(value_type = serde_json::Value, example = "ACTIVE")]
    pub to: Value,
}

/// The record that an event's data carries: the object whose id is the event's subject.
pub fn record(data: &RawValue, subject: Id) -> Option<Map<String, Value>> {
    let subject = subject.to_string();
    let fields: Map<String, Value> = serde_json::from_str(data.get()).ok()?;
    fields.into_iter().find_map(|(_, value)| match value {
        Value::Object(record) if record.get("id").and_then(Value::as_str) == Some(&subject) => Some(record),
        _ => None,
    })
}

/// The fields that differ, in alphabetical order. Without a state before, those that hold something.
pub fn changes(before: Option<&Map<String, Value>>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let change = |(field, to): (&String, &Value)| {
        let from = before.and_then(|before| before.get(field)).cloned().unwrap_or_default();
        let is_changed = from != *to && !OF_THE_STATE.contains(&field.as_str());
        is_changed.then(|| FieldChange { field: field.clone(), from, to: to.clone() })
    };
    after.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::event::raw;
    use kernel::ids::new_id;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn the_record_is_the_object_of_the_subject() {
        let id = new_id();
        let data =
            json!({"changed": ["name"], "other": {"id": new_id()}, "customer": {"id": id, "name": "青空"}});
        assert_eq!(record(&raw(&data), id), Some(map(json!({"id": id, "name": "青空"}))));
        assert_eq!(record(&raw(&json!({"ids": [id], "count": 1})), id), None);
        assert_eq!(record(&raw(&json!([1])), id), None);
    }

    #[test]
    fn what_differs_is_told_from_what_to_what() {
        let before = map(json!({"id": 1, "version": 1, "name": "青空", "email": null, "amount": 5}));
        let after = map(json!({"id": 1, "version": 2, "name": "青空", "email": "a@b.example", "amount": 7}));
        let told: Vec<_> = changes(Some(&before), &after).into_iter().map(|it| json!(it)).collect();
        assert_eq!(
            told,
            [
                json!({"field": "amount", "from": 5, "to": 7}),
                json!({"field": "email", "from": null, "to": "a@b.example"}),
            ]
        );
        assert_eq!(changes(Some(&after), &after), []);
    }

    #[test]
    fn of_a_new_record_every_field_that_holds_something_is_told() {
        let after = map(json!({"id": 1, "version": 1, "name": "青空", "email": null}));
        let told = changes(None, &after);
        assert_eq!(told, [FieldChange { field: "name".into(), from: Value::Null, to: json!("青空") }]);
    }
}
