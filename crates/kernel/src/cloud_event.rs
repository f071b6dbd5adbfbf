//! The public form of an event: CloudEvents 1.0 JSON (SPEC §4).

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::event::{EventRecord, LoggedEvent};
use crate::ids::Id;

/// The CloudEvent of a logged event.
#[derive(Serialize, ToSchema)]
pub struct CloudEvent<'a> {
    #[schema(example = "1.0")]
    specversion: &'static str,
    id: Id,
    #[schema(example = "/services/customer")]
    source: &'a str,
    #[schema(example = "customer.created")]
    r#type: &'a str,
    /// The aggregate's id.
    subject: Id,
    time: Timestamp,
    #[schema(example = "application/json")]
    datacontenttype: &'static str,
    /// Events with the same key are ordered.
    partitionkey: Id,
    /// The aggregate's version after the event.
    sequence: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    /// The request or saga it belongs to.
    correlationid: &'a str,
    /// The event that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<Id>,
    /// The user who caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    actorid: Option<Id>,
    /// The API key by which that user acted, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    apikeyid: Option<Id>,
    #[schema(value_type = Object)]
    data: &'a RawValue,
}

impl<'a> From<&'a LoggedEvent> for CloudEvent<'a> {
    fn from(logged: &'a LoggedEvent) -> Self {
        let event = &logged.event;
        Self {
            specversion: "1.0",
            id: event.id,
            source: event.event_type.source(),
            r#type: event.event_type.name(),
            subject: event.subject,
            time: event.time,
            datacontenttype: "application/json",
            partitionkey: event.partition_key,
            sequence: event.sequence,
            traceparent: event.traceparent.as_deref(),
            correlationid: &event.correlation_id,
            causationid: event.causation_id,
            actorid: event.actor_id,
            apikeyid: event.api_key_id,
            data: &event.data,
        }
    }
}

impl<'a> From<&'a EventRecord> for CloudEvent<'a> {
    fn from(record: &'a EventRecord) -> Self {
        Self {
            specversion: "1.0",
            id: record.id,
            source: &record.source,
            r#type: &record.r#type,
            subject: record.subject,
            time: record.time,
            datacontenttype: "application/json",
            partitionkey: record.partition_key,
            sequence: record.sequence,
            traceparent: record.traceparent.as_deref(),
            correlationid: &record.correlation_id,
            causationid: record.causation_id,
            actorid: record.actor_id,
            apikeyid: record.api_key_id,
            data: &record.data,
        }
    }
}
