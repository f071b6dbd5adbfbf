//! What every service does when a user or customer is deleted (SPEC §5, flows 7 and 8).
//!
//! A service stores the deletion before it looks for the records that refer to the deleted user or customer. A record
//! that was committed before is found then; a later record's own event finds the stored deletion.

use kernel::event::EventType;
use std::collections::{HashMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::actors::undo::{Revert, Reverted, Undo, revert_all};
use crate::persistence::deletions as queries;
use crate::persistence::deletions::Referring;
use crate::persistence::saga_items::Items;
use domain::customer::record::CustomerPayload;
use domain::deletion::Deletion;
use domain::saga::record::StepPayload;
use domain::saga::rules::StepClosed;
use domain::user::record::UserRestoredPayload;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::ErrorCode;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::{Id, new_id};
use runtime::consumer::EffectError;
use runtime::entity::Entities;
use runtime::journal::Journal;
use runtime::prepared::Prepared;
use store::table::Table;
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};

/// Records read at a time, and commands under way at the same time.
const PAGE: i64 = 256;
const AT_ONCE: usize = 32;
/// Ids that a closing event lists at most; its count has all.
const IDS_NAMED: i64 = 1_000;

/// The deleted users and customers that a service remembers.
#[derive(Clone)]
pub struct Deletions {
    pub db: Db,
    pub journal: Journal,
    pub table: &'static Table,
    /// Where the service notes what sagas did.
    pub items: Items,
}

impl Deletions {
    /// Stores a deletion, so that later records find it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note(&self, deletion: &Deletion) -> Result<(), EffectError> {
        let writes = vec![Write::put(self.table, deletion.id, deletion)];
        let noted = self.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await;
        noted.map(drop).map_err(|why| StoreError::Unavailable(why.to_string()).into())
    }

    /// Forgets a deletion that is undone, unless a later one has taken its place.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget(&self, id: Id, saga: Id) -> Result<(), EffectError> {
        if self.among(vec![id]).await?.get(&id).is_none_or(|noted| noted.saga_id != saga) {
            return Ok(());
        }
        let writes = vec![Write::delete(self.table, id)];
        let forgot = self.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await;
        forgot.map(drop).map_err(|why| StoreError::Unavailable(why.to_string()).into())
    }

    /// Those of `ids` that are deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn among(&self, mut ids: Vec<Id>) -> Result<HashMap<Id, Deletion>, EffectError> {
        ids.sort_unstable();
        ids.dedup();
        Ok(queries::among(&self.db, self.table, &ids).await?)
    }

    /// The successor of a deleted user, or the customer into which a merged one went; if that is deleted, too, its successor.
    ///
    /// # Errors
    /// The database's.
    pub async fn successor(&self, deletion: &Deletion) -> Result<Option<Id>, EffectError> {
        self.last(deletion, |gone| gone.successor_id).await
    }

    /// The user who decides in a deleted user's place; if that user is deleted, too, whoever decides in theirs.
    ///
    /// # Errors
    /// The database's.
    pub async fn approver(&self, deletion: &Deletion) -> Result<Option<Id>, EffectError> {
        self.last(deletion, |gone| gone.approver_id).await
    }

    async fn last(
        &self,
        deletion: &Deletion,
        next: fn(&Deletion) -> Option<Id>,
    ) -> Result<Option<Id>, EffectError> {
        let mut successor = next(deletion);
        // Successors were alive when they were chosen, so each one of the chain was deleted after the one before. Only where
        // the undo of a deletion has not come here yet, the chain may lead back to its beginning.
        let mut seen = HashSet::from([deletion.id]);
        while let Some(id) = successor {
            if !seen.insert(id) {
                return Err(
                    StoreError::Unavailable(format!("{id} is back, which is not known here yet")).into()
                );
            }
            let Some(later) = self.among(vec![id]).await?.remove(&id) else { break };
            successor = next(&later);
        }
        Ok(successor)
    }

    /// Sends a command to every record that refers to a deleted user or customer, until no such record is left.
    ///
    /// # Errors
    /// `Unavailable` while a record's actor is unavailable; an error of the event if a record still refers to it
    /// afterwards.
    pub async fn each<A: Revert>(
        &self,
        entities: &Entities<A>,
        to: Referring,
        deletion: &Deletion,
        context: &Context,
        command: impl Fn() -> A::Command,
    ) -> Result<(), EffectError> {
        let id = deletion.id;
        let mut before = Vec::new();
        loop {
            let found = queries::referring(&self.db, to, id, PAGE).await?;
            if found.is_empty() {
                return Ok(());
            }
            if found == before {
                return Err(EffectError::Event(format!("{} records still refer to {id}", found.len())));
            }
            let sent = found
                .clone()
                .into_iter()
                .map(|record| self.send(entities, record, command(), (deletion.saga_id, context)));
            let mut sent = iter(sent).buffer_unordered(AT_ONCE);
            while let Some(done) = sent.next().await {
                done?;
            }
            before = found;
        }
    }

    /// The event that closes a step: the sum of the events of type `single` that `cause` led to. They are counted in
    /// the log, so that the number is right however often the step was interrupted.
    ///
    /// # Errors
    /// The database's.
    pub async fn closing(&self, step: Step<'_>, now: Timestamp) -> Result<Event, EffectError> {
        let (ids, count) =
            queries::caused(&self.db, step.cause.event.id, step.single.name(), IDS_NAMED).await?;
        let payload = StepPayload {
            saga_id: Some(step.deletion.saga_id),
            subject_id: step.deletion.id,
            successor_id: step.deletion.successor_id,
            ids,
            count,
            left: Vec::new(),
            left_count: 0,
        };
        let context = caused(step.cause, step.deletion);
        let closed = StepClosed { closed_by: step.closed_by, payload };
        Ok(Event::new(&closed, new_id(), 1, now, &context))
    }

    /// Sends a command of a saga, and notes what it did. A record that is deleted or decided by now has nothing to hand over.
    ///
    /// # Errors
    /// As [`Deletions::each`].
    pub async fn send<A: Revert>(
        &self,
        entities: &Entities<A>,
        record: Id,
        command: A::Command,
        (saga, context): (Id, &Context),
    ) -> Result<(), EffectError> {
        let noting = self.items.in_cascade(saga, A::COUNTED, record);
        let prepared = Prepared::from(context.clone()).noting(noting);
        match entities.execute(record, command, prepared).await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::ApprovalNotPending) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes back what a saga did with the records of a kind; the event that closes the step of `returned`.
    ///
    /// # Errors
    /// As a consumer's.
    pub async fn take_back<A: Revert>(
        &self,
        entities: &Entities<A>,
        returned: &Returned<'_>,
        closed_by: EventType,
        now: Timestamp,
    ) -> Result<Event, EffectError> {
        let context = returned.context();
        let Reverted { ids, count, left, left_count } =
            revert_all(&self.db, self.items, entities, returned.undo, &context).await?;
        let payload = StepPayload {
            saga_id: Some(returned.undo.saga_id),
            subject_id: returned.id,
            successor_id: None,
            ids,
            count,
            left,
            left_count,
        };
        Ok(Event::new(&StepClosed { closed_by, payload }, new_id(), 1, now, &context))
    }
}

/// A user or customer who is back.
pub struct Returned<'a> {
    /// The event that says so.
    pub event: &'a LoggedEvent,
    pub id: Id,
    pub undo: Undo,
}

impl<'a> Returned<'a> {
    /// The customer that an event brought back.
    ///
    /// # Errors
    /// When the event is another.
    pub fn customer(event: &'a LoggedEvent) -> Result<Self, EffectError> {
        let CustomerPayload { customer, saga_id: Some(saga_id), undoes: Some(undoes), .. } =
            event.payload()?
        else {
            return Err(EffectError::Event("the event brings no customer back".to_owned()));
        };
        Ok(Self { event, id: customer.id, undo: Undo { saga_id, undoes } })
    }

    /// The user whom an event brought back.
    ///
    /// # Errors
    /// When the event is another.
    pub fn user(event: &'a LoggedEvent) -> Result<Self, EffectError> {
        let UserRestoredPayload { user, saga_id, undoes } = event.payload()?;
        Ok(Self { event, id: user.id, undo: Undo { saga_id, undoes } })
    }

    /// The context of the commands that this leads to.
    pub fn context(&self) -> Context {
        Context {
            correlation_id: self.undo.saga_id.to_string().into(),
            ..Context::caused_by(&self.event.event)
        }
    }
}

/// A step that a service has carried out.
pub struct Step<'a> {
    /// The event of the deletion.
    pub cause: &'a LoggedEvent,
    pub deletion: &'a Deletion,
    /// The type of the single records' events.
    pub single: EventType,
    pub closed_by: EventType,
}

/// The saga of an event that deletes, merges or restores a customer.
pub fn saga_of(event: &LoggedEvent) -> Option<Id> {
    event.payload::<CustomerPayload>().ok()?.saga_id
}

/// The context of commands that a deletion leads to.
pub fn caused(by: &LoggedEvent, deletion: &Deletion) -> Context {
    Context { correlation_id: deletion.saga_id.to_string().into(), ..Context::caused_by(&by.event) }
}
