//! Starts sagas: that of a deletion is committed together with it, that of a change of many records with its batches.

use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::event::Event;
use kernel::ids::{Id, new_id};
use store::unit_of_work::{UnitOfWork, Write};

use crate::persistence::sagas::SAGAS;
use domain::bulk::progress::BulkProgress;
use domain::saga::record::{Saga, SagaKind};
use domain::saga::rules::{SagaEvent, begin, begin_bulk, begin_import};
use domain::undo::rules::undone;
use kernel::event::StateAfter;

/// The saga of a deletion in `context`: its id, and what must be committed together with the deletion.
pub fn start(kind: SagaKind, subject_id: Id, context: &Context, now: Timestamp) -> (Id, UnitOfWork) {
    started(begin(kind, new_id(), subject_id, &context.caller, now), context, now)
}

/// The saga of a change of many records in so many steps: its id, and what must be committed together with its batches.
pub fn start_bulk(
    kind: SagaKind,
    bulk: BulkProgress,
    steps: usize,
    context: &Context,
    now: Timestamp,
) -> (Id, UnitOfWork) {
    started(begin_bulk(kind, new_id(), bulk, steps, &context.caller, now), context, now)
}

/// The saga that undoes another one: its id, and what must be committed together with what it does first. Of two undos of one
/// saga, one is committed.
pub fn start_undo(
    (kind, subject_id): (SagaKind, Id),
    original: &Saga,
    context: &Context,
    now: Timestamp,
) -> (Id, UnitOfWork) {
    undoing(begin(kind, new_id(), subject_id, &context.caller, now), original, context, now)
}

/// As [`start_undo`], for a change of many records in so many steps.
pub fn start_bulk_undo(
    (kind, bulk, steps): (SagaKind, BulkProgress, usize),
    original: &Saga,
    context: &Context,
    now: Timestamp,
) -> (Id, UnitOfWork) {
    undoing(begin_bulk(kind, new_id(), bulk, steps, &context.caller, now), original, context, now)
}

fn undoing(saga: Saga, original: &Saga, context: &Context, now: Timestamp) -> (Id, UnitOfWork) {
    let (id, mut unit) = started(Saga { undoes: Some(original.id), ..saga }, context, now);
    let after = undone(original, id);
    unit.writes.push(Write::put(&SAGAS, original.id, &after).expecting(original.version));
    let context = Context { correlation_id: id.to_string().into(), ..context.clone() };
    let version = after.version;
    unit.events.push(Event::new(&SagaEvent::Undone(after), original.id, version, now, &context));
    (id, unit)
}

/// What must be committed together with the beginning of an import, in so many steps: its saga, whose id was chosen when its rows
/// were checked.
pub fn start_import(
    (kind, saga, import): (SagaKind, Id, Id),
    bulk: BulkProgress,
    steps: i64,
    context: &Context,
    now: Timestamp,
) -> UnitOfWork {
    let steps = usize::try_from(steps).unwrap_or(0);
    let happened = begin_import(kind, (saga, import), bulk, steps, &context.caller, now);
    let context = Context { correlation_id: saga.to_string().into(), ..context.clone() };
    let last = happened.last().map(StateAfter::after);
    let writes = last.map(|state| Write::put(&SAGAS, saga, state).expecting(0)).into_iter().collect();
    let events = happened.iter().map(|event| Event::new(event, saga, event.after().version, now, &context));
    UnitOfWork { writes, events: events.collect(), ..UnitOfWork::default() }
}

fn started(saga: Saga, context: &Context, now: Timestamp) -> (Id, UnitOfWork) {
    let id = saga.id;
    let context = Context { correlation_id: id.to_string().into(), ..context.clone() };
    let writes = vec![Write::put(&SAGAS, id, &saga).expecting(0)];
    let events = vec![Event::new(&SagaEvent::Started(saga), id, 1, now, &context)];
    (id, UnitOfWork { writes, events, ..UnitOfWork::default() })
}
