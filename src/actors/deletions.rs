//! What every service does when a user or customer is deleted (SPEC §5, flows 7 and 8).
//!
//! A service stores the deletion before it looks for the records that refer to the deleted user or customer. A record
//! that was committed before is found then; a later record's own event finds the stored deletion.

use kernel::event::EventType;
use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::persistence::deletions as queries;
use crate::persistence::deletions::Referring;
use domain::deletion::Deletion;
use domain::saga::record::StepPayload;
use domain::saga::rules::StepClosed;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::ErrorCode;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::{Id, new_id};
use runtime::consumer::EffectError;
use runtime::entity::{Aggregate, Entities};
use runtime::journal::Journal;
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

    /// Those of `ids` that are deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn among(&self, mut ids: Vec<Id>) -> Result<HashMap<Id, Deletion>, EffectError> {
        ids.sort_unstable();
        ids.dedup();
        Ok(queries::among(&self.db, self.table, &ids).await?)
    }

    /// The successor of a deleted user; if the successor is deleted, too, their successor.
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
        // This ends: successors were alive when they were chosen, so each one of the chain was deleted after the one
        // before.
        while let Some(id) = successor {
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
    pub async fn each<A: Aggregate>(
        &self,
        entities: &Entities<A>,
        to: Referring,
        id: Id,
        context: &Context,
        command: impl Fn() -> A::Command,
    ) -> Result<(), EffectError> {
        let mut before = Vec::new();
        loop {
            let found = queries::referring(&self.db, to, id, PAGE).await?;
            if found.is_empty() {
                return Ok(());
            }
            if found == before {
                return Err(EffectError::Event(format!("{} records still refer to {id}", found.len())));
            }
            let sent = found.clone().into_iter().map(|record| send(entities, record, command(), context));
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
        };
        let context = caused(step.cause, step.deletion);
        let closed = StepClosed { closed_by: step.closed_by, payload };
        Ok(Event::new(&closed, new_id(), 1, now, &context))
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

/// The context of commands that a deletion leads to.
pub fn caused(by: &LoggedEvent, deletion: &Deletion) -> Context {
    Context { correlation_id: deletion.saga_id.to_string().into(), ..Context::caused_by(&by.event) }
}

/// Sends a command. A record that is deleted or decided by now has nothing to hand over.
///
/// # Errors
/// As [`Deletions::each`].
pub async fn send<A: Aggregate>(
    entities: &Entities<A>,
    record: Id,
    command: A::Command,
    context: &Context,
) -> Result<(), EffectError> {
    match entities.execute(record, command, context.clone()).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::ApprovalNotPending) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
