//! The customer's timeline: which events are about whom.

use std::sync::Arc;

use crate::actors::catalogue::{
    CUSTOMER_CREATED, CUSTOMER_DELETED, CUSTOMER_UPDATED, MEETING_CREATED, MEETING_DELETED, MEETING_UPDATED,
};
use crate::actors::event::LoggedEvent;
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::actors::sales::events::MeetingPayload;
use crate::ids::Id;
use crate::persistence::Db;
use crate::persistence::analytics::activity_write;
use crate::persistence::unit::Unit;

/// The customer an event is about.
fn customer_of(event: &LoggedEvent) -> Result<Option<Id>, EffectError> {
    Ok(match event.event.event_type {
        CUSTOMER_CREATED | CUSTOMER_UPDATED | CUSTOMER_DELETED => Some(event.event.subject),
        MEETING_CREATED | MEETING_UPDATED | MEETING_DELETED => {
            Some(event.payload::<MeetingPayload>()?.meeting.customer_id)
        }
        _ => None,
    })
}

/// Notes down whom each event is about.
pub struct ActivityConsumer;

impl Consumer for ActivityConsumer {
    const NAME: &'static str = "analytics.activity";
    const TYPES: &'static [&'static str] = &[
        CUSTOMER_CREATED,
        CUSTOMER_UPDATED,
        CUSTOMER_DELETED,
        MEETING_CREATED,
        MEETING_UPDATED,
        MEETING_DELETED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let mut unit = Unit::default();
        for event in events {
            if let Some(customer) = customer_of(event)? {
                unit.writes.push(activity_write(event.event.id, customer));
            }
        }
        Ok(unit)
    }
}
