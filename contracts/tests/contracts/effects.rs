//! That the consumers' own code takes what their contracts promise them: the examples are put into the log of an empty
//! database, and the real binary's feeds apply them.

use kernel::event::EventType;
use std::sync::Arc;
use std::time::Duration;

use domain::events::CATALOGUE;
use kernel::clock::Timestamp;
use kernel::event::{Event, raw};
use kernel::ids::{Id, new_id};
use serde_json::Value;
use store::Db;
use store::journal::commit;
use store::unit_of_work::UnitOfWork;

use crate::examples::{READERS, USER, need};
use crate::messages::consumers;
use crate::provider::Provider;
use testing::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn every_consumer_applies_what_its_contracts_promise() {
    let all = consumers(&Provider::start().await).await;
    for (consumer, types) in all.iter().filter(|(name, _)| *name != READERS) {
        let examples: Vec<_> =
            types.iter().filter_map(|known| example(consumer, CATALOGUE.find(known)?)).collect();
        assert_eq!(examples.len(), types.len(), "{consumer} takes a type without a contract");
        let count = examples.len();
        let provider =
            Provider::on(async |db| put(db, examples).await, &["--retry-initial", "10ms"], &[]).await;
        applies(&provider, consumer, count as u64).await;
    }
}

/// An event of the type that has what the consumer needs, and nothing else.
fn example(consumer: &str, event_type: EventType) -> Option<Event> {
    let data = need(consumer, event_type)?.whole();
    let id = |value: &Value| value.as_str().and_then(Id::parse);
    let (noun, _) = event_type.name().split_once('.')?;
    let subject = id(&data[noun]["id"]).or_else(|| id(&Value::from(USER)))?;
    Some(Event {
        id: new_id(),
        event_type,
        subject,
        sequence: 0,
        partition_key: subject,
        time: Timestamp::parse("2026-03-02T09:00:00Z")?,
        data: raw(&data).into(),
        traceparent: None,
        correlation_id: Arc::from("example"),
        causation_id: None,
        actor_id: None,
        api_key_id: None,
    })
}

/// Commits the events, each as the next version of what it is about.
async fn put(db: &Db, events: Vec<Event>) {
    let numbered = events.into_iter().zip(1..).map(|(event, sequence)| Event { sequence, ..event });
    let unit = UnitOfWork { events: numbered.collect(), ..UnitOfWork::default() };
    for outcome in commit(db, vec![unit]).await {
        outcome.expect("an empty log takes them");
    }
}

/// Waits until the consumer has applied all there is, and at least so many events: before it begins, none waits.
///
/// # Panics
/// With the error, when an event becomes a dead letter.
async fn applies(provider: &Provider, name: &str, count: u64) {
    eventually(Duration::from_secs(20), async || {
        let letters =
            provider.admin.get(&format!("/api/admin/dead-letters?consumer={name}")).await.expect(200);
        assert!(letters.items().is_empty(), "{name} can't apply its example: {letters}");
        let read = provider.admin.get("/api/admin/consumers").await.expect(200);
        let own = read.items().iter().find(|consumer| consumer["name"] == name).cloned();
        let own = own.expect("a running consumer");
        let applied = own["applied"].as_u64().expect("a count");
        let left = ["pending", "retrying", "waiting"].iter().any(|count| own[*count] != 0);
        if left || applied < count { Err(own.to_string()) } else { Ok(()) }
    })
    .await;
}
