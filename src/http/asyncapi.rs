//! `/asyncapi.json`: every event and every frame of the live feed as AsyncAPI 3.0, from the types themselves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::actors::live::frames::{ClientFrame, ServerFrame};
use domain::events::{AddSchema, EVENTS, EventRow};
use domain::topic::Topic;
use kernel::cloud_event::CloudEvent;

/// The document; made once.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(make);
    &DOCUMENT
}

/// The schemas that messages refer to.
#[derive(Default)]
struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// Takes in a type and all it refers to; answers with a reference to it.
    fn reference<T: ToSchema>(&mut self) -> Value {
        self.add(|all| {
            all.push((T::name().into_owned(), T::schema()));
            T::schemas(all);
            T::name().into_owned()
        })
    }

    fn add(&mut self, schema: AddSchema) -> Value {
        let mut all: Vec<(String, RefOr<Schema>)> = Vec::new();
        let name = schema(&mut all);
        self.0.extend(all.into_iter().map(|(name, schema)| (name, json!(schema))));
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// The data of an event type.
    fn payload(&mut self, row: &EventRow) -> Value {
        let references: Vec<Value> = row.payloads.iter().map(|add| self.add(*add)).collect();
        if let [one] = references.as_slice() { one.clone() } else { json!({"anyOf": references}) }
    }
}

fn make() -> Value {
    let mut schemas = Schemas::default();
    schemas.reference::<CloudEvent<'_>>();
    let said = frames::<ServerFrame<'_>>(&mut schemas, "Server");
    let heard = frames::<ClientFrame>(&mut schemas, "Client");
    let events: Map<String, Value> =
        EVENTS.iter().map(|row| (row.event_type.name().to_owned(), event(row, &mut schemas))).collect();
    let mut messages = events.clone();
    messages.extend(said.clone());
    messages.extend(heard.clone());
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kizuna",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The events of the log and the live feed. A cursor is opaque text; whoever comes back \
                            with one receives what follows it: nothing missed, nothing twice, in order.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": channel("/api/ws", "The live feed over WebSocket", said.keys().chain(heard.keys())),
            "stream": channel("/api/stream", "The same as Server-Sent Events: `id` is the cursor", said.keys()),
            "log": channel("/api/audit/events", "Every event, as the log keeps it", events.keys()),
        },
        "operations": {
            "sendFrame": operation("send", "socket", "What the server says", said.keys()),
            "receiveFrame": operation("receive", "socket", "What a client says", heard.keys()),
            "sendStreamFrame": operation("send", "stream", "What the server says", said.keys()),
            "recordEvent": operation("send", "log", "What happened", events.keys()),
        },
        "components": {"messages": messages, "schemas": schemas.0},
    })
}

fn channel<'a>(address: &str, about: &str, messages: impl Iterator<Item = &'a String>) -> Value {
    let reference = |name: &String| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}));
    let messages: Map<String, Value> = messages.map(reference).collect();
    json!({"address": address, "description": about, "messages": messages})
}

fn operation<'a>(
    action: &str,
    channel: &str,
    about: &str,
    messages: impl Iterator<Item = &'a String>,
) -> Value {
    let reference = |name: &String| json!({"$ref": format!("#/channels/{channel}/messages/{name}")});
    let messages: Vec<Value> = messages.map(reference).collect();
    json!({
        "action": action,
        "channel": {"$ref": format!("#/channels/{channel}")},
        "summary": about,
        "messages": messages,
    })
}

/// The message of an event type: the envelope with this type and its data.
fn event(row: &EventRow, schemas: &mut Schemas) -> Value {
    let (event_type, data) = (row.event_type.name(), schemas.payload(row));
    let topic = row.topic.map(Topic::as_str);
    let about = topic.map_or_else(|| "Of no topic".to_owned(), |topic| format!("Of the topic `{topic}`"));
    json!({
        "name": event_type,
        "contentType": "application/cloudevents+json",
        "summary": about,
        "payload": {"allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {"type": "object", "properties": {"type": {"const": event_type}, "data": data}},
        ]},
    })
}

/// A message for each variant of a frame's type.
fn frames<T: ToSchema>(schemas: &mut Schemas, side: &str) -> Map<String, Value> {
    schemas.reference::<T>();
    let whole = json!(<T as PartialSchema>::schema());
    let variants = whole["oneOf"].as_array().cloned().unwrap_or_default();
    let message = |schema: Value| {
        let kind = tag(&schema)?;
        let about = schema["description"].as_str().unwrap_or_default().to_owned();
        Some((format!("{kind}{side}Frame"), json!({"name": kind, "summary": about, "payload": schema})))
    };
    variants.into_iter().filter_map(message).collect()
}

/// The word in `type` that tells a variant.
fn tag(schema: &Value) -> Option<String> {
    let own = schema.pointer("/properties/type/enum/0").and_then(Value::as_str);
    let parts = schema["allOf"].as_array();
    own.map(str::to_owned).or_else(|| parts?.iter().find_map(tag))
}
