//! The envelope of every event (SPEC §4): CloudEvents 1.0 with Kizuna's extensions.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

use super::context::Context;
use crate::clock::Timestamp;
use crate::ids::{Id, new_id};

/// Into how many slices the log is divided; fixed, for it decides where an aggregate's events stand.
pub const SLICES: i64 = 16;

/// The slice of the events of this partition key.
pub fn slice_of(partition: Id) -> i64 {
    // The last 64 bits of a UUIDv7 are random; folding in the first spreads hand-made ids too.
    let bits = partition.bits();
    let folded = (bits as u64) ^ ((bits >> 64) as u64);
    (folded % SLICES as u64) as i64
}

/// What a service says happened: a type of SPEC §4 and its data.
pub trait DomainEvent {
    /// `customer.created`, …
    fn event_type(&self) -> &'static str;
    /// The state its consumers need, never a secret.
    fn data(&self) -> Box<RawValue>;
    /// What the event is ordered with: its aggregate, or what several aggregates have in common. The same for all
    /// events of an aggregate.
    fn partition(&self, subject: Id) -> Id {
        subject
    }
}

/// Data as JSON text.
pub fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("events are plain structs")
}

/// An event before it has its place in the log.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Id,
    pub event_type: &'static str,
    /// The aggregate's id.
    pub subject: Id,
    /// The aggregate's version after it.
    pub sequence: i64,
    /// Decides the slice: events of one partition have one order.
    pub partition: Id,
    pub time: Timestamp,
    pub data: Arc<RawValue>,
    pub traceparent: Option<Arc<str>>,
    pub correlation_id: Arc<str>,
    pub causation_id: Option<Id>,
    pub actor_id: Option<Id>,
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
            partition: event.partition(subject),
            time,
            data: event.data().into(),
            traceparent: context.traceparent.clone(),
            correlation_id: context.correlation_id.clone(),
            causation_id: context.causation_id,
            actor_id: context.caller.actor_id(),
        }
    }

    pub fn slice(&self) -> i64 {
        slice_of(self.partition)
    }
}

/// An event of the log.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    pub slice: i64,
    /// Gap-free within the slice, in the order of commits.
    pub slice_seq: i64,
    pub event: Event,
}

impl LoggedEvent {
    /// Its data as one of the payload types of the producing service.
    ///
    /// # Errors
    /// When the stored data has another shape, as after an incompatible change of the payload.
    pub fn payload<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.event.data.get())
    }
}

/// The services' names in `source`, by the first word of a type.
const PRODUCERS: [(&str, &str); 12] = [
    ("user", "/services/auth"),
    ("customer", "/services/customer"),
    ("customers", "/services/customer"),
    ("meeting", "/services/sales"),
    ("meetings", "/services/sales"),
    ("task", "/services/sales"),
    ("tasks", "/services/sales"),
    ("approval", "/services/opportunity"),
    ("approvals", "/services/opportunity"),
    ("notification", "/services/analytics"),
    ("notifications", "/services/analytics"),
    ("saga", "/services/sagas"),
];

/// The CloudEvents `source` of a type.
pub fn source_of(event_type: &str) -> &'static str {
    let noun = event_type.split('.').next().unwrap_or_default();
    PRODUCERS.iter().find(|(known, _)| *known == noun).map_or("/services/unknown", |(_, source)| *source)
}
