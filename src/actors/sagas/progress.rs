//! Advances sagas by the events that close their steps.

use kernel::event::EventType;
use kernel::event::StateAfter;
use kernel::service_id::ServiceId;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crate::persistence::sagas::{SAGAS, find};
use domain::bulk::progress::BulkPayload;
use domain::events::{
    APPROVALS_CANCELLED, APPROVALS_MOVED, APPROVALS_REASSIGNED, APPROVALS_RESTORED, CUSTOMERS_CHANGED,
    CUSTOMERS_IMPORTED, CUSTOMERS_REASSIGNED, CUSTOMERS_RESTORED, DEALS_CHANGED, DEALS_CLOSED,
    DEALS_IMPORTED, DEALS_MOVED, DEALS_REASSIGNED, DEALS_RESTORED, MEETINGS_CHANGED, MEETINGS_DELETED,
    MEETINGS_IMPORTED, MEETINGS_MOVED, MEETINGS_REASSIGNED, MEETINGS_RESTORED, NOTIFICATIONS_ARCHIVED,
    NOTIFICATIONS_MOVED, NOTIFICATIONS_RESTORED, TASKS_CHANGED, TASKS_DELETED, TASKS_IMPORTED, TASKS_MOVED,
    TASKS_RESTORED,
};
use domain::saga::record::Saga;
use domain::saga::record::StepPayload;
use domain::saga::rules::{Report, advance, advance_batch};
use kernel::clock::{Clock, Timestamp};
use kernel::context::Context;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};

/// The types that close a batch of a change of many records, or of an import.
const BATCHES: [EventType; 8] = [
    CUSTOMERS_CHANGED,
    MEETINGS_CHANGED,
    TASKS_CHANGED,
    DEALS_CHANGED,
    CUSTOMERS_IMPORTED,
    MEETINGS_IMPORTED,
    TASKS_IMPORTED,
    DEALS_IMPORTED,
];

/// The consumer that applies closed steps to their sagas.
pub struct SagaProgress {
    pub clock: Clock,
}

impl Consumer for SagaProgress {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "sagas.progress";
    const TYPES: &'static [EventType] = &[
        CUSTOMERS_REASSIGNED,
        MEETINGS_DELETED,
        MEETINGS_REASSIGNED,
        TASKS_DELETED,
        APPROVALS_CANCELLED,
        APPROVALS_REASSIGNED,
        NOTIFICATIONS_ARCHIVED,
        CUSTOMERS_CHANGED,
        MEETINGS_CHANGED,
        TASKS_CHANGED,
        DEALS_CLOSED,
        DEALS_REASSIGNED,
        DEALS_CHANGED,
        MEETINGS_MOVED,
        TASKS_MOVED,
        APPROVALS_MOVED,
        DEALS_MOVED,
        NOTIFICATIONS_MOVED,
        CUSTOMERS_RESTORED,
        MEETINGS_RESTORED,
        TASKS_RESTORED,
        APPROVALS_RESTORED,
        DEALS_RESTORED,
        NOTIFICATIONS_RESTORED,
        CUSTOMERS_IMPORTED,
        MEETINGS_IMPORTED,
        TASKS_IMPORTED,
        DEALS_IMPORTED,
    ];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut advanced = AdvancedSagas::default();
        for event in events {
            let (now, closed_by) = (self.clock.now(), event.event.event_type);
            if BATCHES.contains(&closed_by) {
                let BulkPayload { saga_id, number, count, unchanged, refused, refused_rows, .. } =
                    event.payload()?;
                let report = Report::Batch { changed: count, unchanged, refused, rows: refused_rows };
                advanced.report(db, saga_id, Step::Batch(number), &report, event, now).await?;
                continue;
            }
            let payload: StepPayload = event.payload()?;
            if let Some(saga) = payload.saga_id {
                let report = Report::Done { count: payload.count, left: (payload.left, payload.left_count) };
                advanced.report(db, saga, Step::ClosedBy(closed_by), &report, event, now).await?;
            }
        }
        Ok(advanced.unit())
    }
}

/// The unit of work that marks the step which `closed_by` closes as failed: its retries are used up.
///
/// # Errors
/// `Unavailable`.
pub async fn give_up(
    db: &Db,
    saga: Id,
    closed_by: &[EventType],
    cause: &LoggedEvent,
    error: &str,
    now: Timestamp,
) -> Result<UnitOfWork, StoreError> {
    let mut advanced = AdvancedSagas::default();
    for closed_by in closed_by {
        let report = Report::Failed { error: error.to_owned() };
        advanced.report(db, saga, Step::ClosedBy(*closed_by), &report, cause, now).await?;
    }
    Ok(advanced.unit())
}

/// The unit of work that marks a batch of a change of many records as failed.
///
/// # Errors
/// `Unavailable`.
pub async fn give_up_batch(
    db: &Db,
    (saga, number): (Id, i64),
    cause: &LoggedEvent,
    error: &str,
    now: Timestamp,
) -> Result<UnitOfWork, StoreError> {
    let mut advanced = AdvancedSagas::default();
    let report = Report::Failed { error: error.to_owned() };
    advanced.report(db, saga, Step::Batch(number), &report, cause, now).await?;
    Ok(advanced.unit())
}

/// Which step of a saga is meant.
#[derive(Clone, Copy)]
enum Step {
    /// The one that events of this type close.
    ClosedBy(EventType),
    /// That of a batch.
    Batch(i64),
}

/// Sagas that advance: the stored version, the new state, and the events between them.
#[derive(Default)]
struct AdvancedSagas(BTreeMap<Id, (i64, Saga, Vec<Event>)>);

impl AdvancedSagas {
    async fn report(
        &mut self,
        db: &Db,
        saga: Id,
        step: Step,
        report: &Report,
        cause: &LoggedEvent,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (_, current, events) = match self.0.entry(saga) {
            Entry::Occupied(saga) => saga.into_mut(),
            Entry::Vacant(entry) => {
                let Some(stored) = find(db, saga).await? else { return Ok(()) };
                entry.insert((stored.version, stored, Vec::new()))
            }
        };
        let context = Context { correlation_id: saga.to_string().into(), ..Context::caused_by(&cause.event) };
        let events_of = match step {
            Step::ClosedBy(closed_by) => advance(current, closed_by, report, now),
            Step::Batch(number) => advance_batch(current, number, report, now),
        };
        for event in events_of {
            *current = event.after().clone();
            events.push(Event::new(&event, saga, current.version, now, &context));
        }
        Ok(())
    }

    fn unit(self) -> UnitOfWork {
        let mut unit = UnitOfWork::default();
        for (id, (stored, saga, events)) in self.0 {
            if !events.is_empty() {
                unit.writes.push(Write::put(&SAGAS, id, &saga).expecting(stored));
                unit.events.extend(events);
            }
        }
        unit
    }
}
