//! The envelope of every event (SPEC §4): CloudEvents 1.0 with Kizuna's extensions.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Timestamp;
use crate::context::Context;
use crate::ids::{Id, new_id};

/// The number of partitions of the event log. It is fixed: it decides in which partition an aggregate's events are.
pub const PARTITIONS: i64 = 16;

/// The partition of the events of this partition key.
pub fn partition_of(partition_key: Id) -> i64 {
    // The last 64 bits of a UUIDv7 are random; the first 64 are mixed in so that hand-made ids spread, too.
    let bits = partition_key.bits();
    let folded = (bits as u64) ^ ((bits >> 64) as u64);
    (folded % PARTITIONS as u64) as i64
}

/// A type of event: its name (`customer.created`) and the CloudEvents `source` of its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventType {
    name: &'static str,
    source: &'static str,
}

impl EventType {
    /// Declares a type. The domain declares all of them in one catalogue.
    pub const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source }
    }

    /// Its name in the log and the API.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// `/services/customer`, …
    pub const fn source(self) -> &'static str {
        self.source
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.name.serialize(serializer)
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).examples(["customer.created"]).build().into()
    }
}

impl ToSchema for EventType {}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every type of event that the program knows. Events of other types are not read from the log: a consumer of an older
/// program must not pass over what a newer one would have applied.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue(pub &'static [EventType]);

impl Catalogue {
    /// The type of this name.
    pub fn find(self, name: &str) -> Option<EventType> {
        self.0.iter().copied().find(|known| known.name == name)
    }
}

/// An event of an aggregate: its type (SPEC §4) and its data.
pub trait DomainEvent {
    fn event_type(&self) -> EventType;
    /// The state that consumers need, never a secret.
    fn data(&self) -> Box<RawValue>;
    /// The key by which events are ordered: the aggregate's id, or an id that several aggregates have in common. All
    /// events of an aggregate have one key.
    fn partition_key(&self, subject: Id) -> Id {
        subject
    }
}

/// An event that carries the aggregate's state after it, so that applying it means copying that state.
pub trait StateAfter {
    type State;

    /// The aggregate's state after the event.
    fn after(&self) -> &Self::State;
}

/// A state with a version that counts its changes: 1, 2, …
pub trait Versioned {
    /// The number of the last change.
    fn version(&self) -> i64;
}

/// Data as JSON text.
pub fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("events are plain structs")
}

/// An event that is not in the log yet.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Id,
    pub event_type: EventType,
    /// The aggregate's id.
    pub subject: Id,
    /// The aggregate's version after the event.
    pub sequence: i64,
    /// Decides the partition. Events of a partition are ordered.
    pub partition_key: Id,
    pub time: Timestamp,
    pub data: Arc<RawValue>,
    pub traceparent: Option<Arc<str>>,
    pub correlation_id: Arc<str>,
    pub causation_id: Option<Id>,
    pub actor_id: Option<Id>,
    /// The API key that acted for the user, if one did.
    pub api_key_id: Option<Id>,
}

impl Event {
    /// The event of `subject`'s change to version `sequence`, within `context`.
    pub fn new(
        event: &impl DomainEvent,
        subject: Id,
        sequence: i64,
        time: Timestamp,
        context: &Context,
    ) -> Self {
        Self {
            id: new_id(),
            event_type: event.event_type(),
            subject,
            sequence,
            partition_key: event.partition_key(subject),
            time,
            data: event.data().into(),
            traceparent: context.traceparent.clone(),
            correlation_id: context.correlation_id.clone(),
            causation_id: context.causation_id,
            actor_id: context.caller.actor_id(),
            api_key_id: context.caller.api_key_id(),
        }
    }

    /// Its partition of the log.
    pub fn partition(&self) -> i64 {
        partition_of(self.partition_key)
    }
}

/// An event of the log.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    pub partition: i64,
    /// The sequence number within the partition: in the order of commits, without a gap.
    pub partition_seq: i64,
    /// The sequence number in the whole log: in the order of the commits of all nodes, without a gap. `None`: the event is
    /// older than these numbers, or a node committed it that does not know them yet.
    pub log_seq: Option<i64>,
    pub event: Event,
}

impl LoggedEvent {
    /// Reads its data as a payload type of the service that produced it.
    ///
    /// # Errors
    /// When the stored data has another shape, as after an incompatible change of the payload.
    pub fn payload<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.event.data.get())
    }
}

/// An event of the log as a plain row: what the database stores, and what nodes send each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventRecord {
    pub id: Id,
    /// The column's name is older than the word "partition".
    #[serde(rename = "slice")]
    pub partition: i64,
    #[serde(rename = "slice_seq")]
    pub partition_seq: i64,
    #[serde(default)]
    pub log_seq: Option<i64>,
    pub r#type: Cow<'static, str>,
    pub source: Cow<'static, str>,
    pub subject: Id,
    pub sequence: i64,
    pub partition_key: Id,
    pub time: Timestamp,
    pub data: Arc<RawValue>,
    pub traceparent: Option<Arc<str>>,
    pub correlation_id: Arc<str>,
    pub causation_id: Option<Id>,
    pub actor_id: Option<Id>,
    #[serde(default)]
    pub api_key_id: Option<Id>,
}

impl EventRecord {
    /// The event, if its type is in the catalogue.
    pub fn into_event(self, catalogue: Catalogue) -> Option<LoggedEvent> {
        Some(LoggedEvent {
            partition: self.partition,
            partition_seq: self.partition_seq,
            log_seq: self.log_seq,
            event: Event {
                id: self.id,
                event_type: catalogue.find(&self.r#type)?,
                subject: self.subject,
                sequence: self.sequence,
                partition_key: self.partition_key,
                time: self.time,
                data: self.data,
                traceparent: self.traceparent,
                correlation_id: self.correlation_id,
                causation_id: self.causation_id,
                actor_id: self.actor_id,
                api_key_id: self.api_key_id,
            },
        })
    }
}

impl From<&LoggedEvent> for EventRecord {
    fn from(logged: &LoggedEvent) -> Self {
        let event = &logged.event;
        Self {
            id: event.id,
            partition: logged.partition,
            partition_seq: logged.partition_seq,
            log_seq: logged.log_seq,
            r#type: event.event_type.name().into(),
            source: event.event_type.source().into(),
            subject: event.subject,
            sequence: event.sequence,
            partition_key: event.partition_key,
            time: event.time,
            data: event.data.clone(),
            traceparent: event.traceparent.clone(),
            correlation_id: event.correlation_id.clone(),
            causation_id: event.causation_id,
            actor_id: event.actor_id,
            api_key_id: event.api_key_id,
        }
    }
}
