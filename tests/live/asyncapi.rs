//! The document at `/asyncapi.json` is complete, and its references resolve.

use domain::events as catalogue;
use serde_json::Value;

use testing::{Sqlite, TestApp};

/// Every reference of the document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_document_is_asyncapi_3_and_has_every_event_and_every_frame() {
    let app = TestApp::start(Sqlite).await;
    let document = app.nobody().get("/asyncapi.json").await.expect(200).body;
    assert_eq!(document["asyncapi"], "3.0.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let messages = document["components"]["messages"].as_object().expect("messages");
    for event_type in catalogue::CATALOGUE.0 {
        let event_type = event_type.name();
        let payload = &messages.get(event_type).unwrap_or_else(|| panic!("no {event_type}"))["payload"];
        let own = &payload["allOf"][1]["properties"];
        assert_eq!(own["type"]["const"], event_type);
        // One type has two shapes: by a reader, and by a saga.
        let shapes = own["data"]["anyOf"]
            .as_array()
            .map_or_else(|| vec![&own["data"]], |either| either.iter().collect());
        assert_eq!(shapes.len(), if event_type == "notifications.archived" { 2 } else { 1 });
        assert!(shapes.iter().all(|shape| shape["$ref"].is_string()), "{event_type}: {payload}");
    }
    for frame in ["hello", "notification", "notification_state", "event", "reset", "error"]
        .map(|kind| format!("{kind}ServerFrame"))
    {
        assert!(messages.contains_key(&frame), "{frame}");
    }
    for frame in ["auth", "subscribe", "resume"].map(|kind| format!("{kind}ClientFrame")) {
        assert!(messages.contains_key(&frame), "{frame}");
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_operation_is_of_a_channel_whose_messages_it_has() {
    let app = TestApp::start(Sqlite).await;
    let document = app.nobody().get("/asyncapi.json").await.expect(200).body;
    let addresses: Vec<&Value> = document["channels"]
        .as_object()
        .expect("channels")
        .values()
        .map(|channel| &channel["address"])
        .collect();
    assert!(addresses.contains(&&Value::from("/api/ws")) && addresses.contains(&&Value::from("/api/stream")));
    for (name, operation) in document["operations"].as_object().expect("operations") {
        assert!(matches!(operation["action"].as_str(), Some("send" | "receive")), "{name}");
        let channel = operation["channel"]["$ref"].as_str().expect("a channel");
        let messages = operation["messages"].as_array().expect("messages");
        assert!(!messages.is_empty(), "{name}");
        for message in messages {
            let reference = message["$ref"].as_str().expect("a reference");
            assert!(reference.starts_with(&format!("{channel}/messages/")), "{name}: {reference}");
        }
    }
}
