//! Starts the saga of a deletion: both are committed together.

use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::event::Event;
use kernel::ids::{Id, new_id};
use store::unit_of_work::{UnitOfWork, Write};

use crate::persistence::sagas::SAGAS;
use domain::saga::record::SagaKind;
use domain::saga::rules::{SagaEvent, begin};

/// The saga of a deletion in `context`: its id, and what must be committed together with the deletion.
pub fn start(kind: SagaKind, subject_id: Id, context: &Context, now: Timestamp) -> (Id, UnitOfWork) {
    let saga = begin(kind, new_id(), subject_id, &context.caller, now);
    let id = saga.id;
    let context = Context { correlation_id: id.to_string().into(), ..context.clone() };
    let writes = vec![Write::put(&SAGAS, id, &saga).expecting(0)];
    let events = vec![Event::new(&SagaEvent::Started(saga), id, 1, now, &context)];
    (id, UnitOfWork { writes, events, ..UnitOfWork::default() })
}
