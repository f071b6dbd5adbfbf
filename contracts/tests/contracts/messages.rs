//! Contracts of events, as pact's messages between a producing service and a consumer.

use kernel::event::EventType;
use std::collections::BTreeMap;
use std::panic::RefUnwindSafe;
use std::path::PathBuf;

use domain::events::{CATALOGUE, USER_LOGIN};
use pact_consumer::prelude::*;
use pact_consumer::{json_pattern, json_pattern_internal, like};
use pact_matching::{Mismatch, match_message};
use pact_models::PactSpecification;
use pact_models::bodies::OptionalBody;
use pact_models::content_types::JSON;
use pact_models::interaction::Interaction;
use pact_models::pact::{Pact, write_pact};
use pact_models::v4::async_message::AsynchronousMessage;
use pact_models::v4::message_parts::MessageContents;
use serde_json::{Value, json};

use crate::api::pacts;
use crate::examples::{Need, READERS, need};
use crate::flows;
use crate::provider::Provider;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_what_each_of_its_consumers_needs() {
    // Else pact would merge what an earlier version of this test wrote.
    let _ = std::fs::remove_dir_all(events_folder());
    let provider = flows::server().await;
    flows::run(&provider).await;
    let events = flows::events(&provider).await;
    let consumers = consumers(&provider).await;
    let mut broken = Vec::new();
    for event_type in CATALOGUE.0.iter().copied().filter(|known| flows::can_be_produced(*known)) {
        let produced: Vec<_> = events.iter().filter(|event| event["type"] == event_type.name()).collect();
        if produced.is_empty() {
            broken.push(format!("no flow produced {event_type}"));
        }
        for (consumer, _) in
            consumers.iter().filter(|(_, types)| types.iter().any(|name| name == event_type.name()))
        {
            match need(consumer, event_type) {
                Some(need) => broken.extend(check(consumer, event_type, &need, &produced).await),
                None => broken.push(format!("{consumer} takes {event_type} without a contract")),
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every consumer of the running server with the types it takes, and those who read the log itself.
pub async fn consumers(provider: &Provider) -> BTreeMap<String, Vec<String>> {
    let read = provider.admin.get("/api/admin/consumers").await.expect(200);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let types = |consumer: &Value| consumer["types"].as_array().expect("types").iter().map(text).collect();
    let mut consumers: BTreeMap<_, Vec<_>> =
        read.items().iter().map(|consumer| (text(&consumer["name"]), types(consumer))).collect();
    consumers.insert(READERS.to_owned(), CATALOGUE.0.iter().map(ToString::to_string).collect());
    consumers
}

/// What is amiss between what a consumer needs and what was produced.
async fn check(consumer: &str, event_type: EventType, need: &Need, produced: &[&Value]) -> Vec<String> {
    let told = |why: &str| format!("{consumer} and {event_type}: {why}");
    let always = Contract::of(consumer, event_type, &need.always, "");
    let whole = Contract::of(consumer, event_type, &need.whole(), ", in full");
    always.keep();
    whole.keep();
    let mut broken = Vec::new();
    let mut misses = Some("there is none".to_owned());
    for event in produced {
        if let Err(why) = always.holds(event).await {
            broken.push(told(&format!("{why}\n  in {event}")));
        }
        if misses.is_some() {
            misses = whole.holds(event).await.err();
        }
    }
    broken.extend(misses.map(|why| told(&format!("no event has all of it, as the last: {why}"))));
    broken
}

/// What a consumer needs of a type of event, as pact has it.
struct Contract {
    interaction: Box<dyn Interaction + Send + Sync + RefUnwindSafe>,
    pact: Box<dyn Pact + Send + Sync + RefUnwindSafe>,
}

impl Contract {
    /// The envelope's fields and `data`, by their types.
    fn of(consumer: &str, event_type: EventType, data: &Value, which: &str) -> Self {
        let mut builder = PactBuilder::new_v4(consumer, event_type.source().trim_start_matches("/services/"));
        builder.message_interaction(format!("{event_type}{which}"), |mut message| {
            message.json_body(json_pattern!({
                "specversion": "1.0", "type": event_type.name(), "source": event_type.source(),
                "id": like!("id"), "subject": like!("id"), "time": like!("2026-03-02T09:00:00Z"),
                "partitionkey": like!("id"), "sequence": like!(1), "correlationid": like!("id"),
                "data": like!(data.clone()),
            }));
            message
        });
        let pact = builder.build();
        let interaction = pact.interactions().into_iter().next().expect("the one of above");
        Self { interaction: interaction.boxed(), pact: pact.boxed() }
    }

    /// Adds it to the file of its consumer and producer, for people and other tools.
    fn keep(&self) {
        let (consumer, producer) = (self.pact.consumer().name, self.pact.provider().name);
        let file = events_folder().join(format!("{}-{producer}.json", consumer.replace(' ', "-")));
        write_pact(self.pact.boxed(), &file, PactSpecification::V4, false).expect("room for a file");
    }

    /// # Errors
    /// With what the event misses.
    async fn holds(&self, event: &Value) -> Result<(), String> {
        let body = OptionalBody::Present(event.to_string().into(), Some(JSON.clone()), None);
        let contents = MessageContents { contents: body, ..MessageContents::default() };
        let actual = AsynchronousMessage { contents, ..AsynchronousMessage::default() };
        let mismatches = match_message(&self.interaction, &actual.boxed(), &self.pact).await;
        let told: Vec<_> = mismatches.iter().map(Mismatch::description).collect();
        if told.is_empty() { Ok(()) } else { Err(told.join("; ")) }
    }
}

fn events_folder() -> PathBuf {
    pacts().join("events")
}

#[tokio::test]
async fn an_event_without_a_field_that_is_needed_breaks_the_contract() {
    let contract = Contract::of("analytics.metrics", USER_LOGIN, &json!({"user_id": "u"}), "");
    let event = |data: Value| {
        json!({
            "specversion": "1.0", "type": USER_LOGIN, "source": "/services/auth", "id": "1", "subject": "2",
            "time": "2026-03-02T09:00:00Z", "partitionkey": "2", "sequence": 1, "correlationid": "3", "data": data,
        })
    };
    assert_eq!(contract.holds(&event(json!({"user_id": "another", "more": 1}))).await, Ok(()));
    for data in [json!({"user": "u"}), json!({"user_id": 7}), json!({"user_id": null})] {
        let refused = contract.holds(&event(data.clone())).await;
        assert!(refused.is_err(), "{data} is not what was agreed on");
    }
}
