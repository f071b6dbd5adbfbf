//! A batch: the consumer carries it out when its turn comes.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde::Deserialize;
use serde_json::Value;

use crate::actors::bulk::{Asked, Before, Bulk, BulkParts, Sent, Taken, Work, is_refusal};
use crate::actors::outcomes;
use crate::actors::outcomes::Outcome;
use crate::actors::sagas::progress::give_up_batch;
use crate::actors::undo;
use crate::actors::undo::{Undo, is_left};
use crate::persistence::batches::Batch;
use crate::persistence::saga_items::Group;
use domain::bulk::progress::{BatchClosed, BulkPayload};
use domain::saga::record::SagaKind;
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::event::{Event, LoggedEvent, Versioned};
use kernel::ids::{Id, new_id};
use runtime::consumer::EffectError;
use runtime::prepared::Prepared;
use store::StoreError;
use store::unit_of_work::UnitOfWork;

/// Commands of a batch that are under way at the same time.
const AT_ONCE: usize = 32;
/// How often a record is read again that others change meanwhile.
const RACES: usize = 8;

impl<B: Bulk> BulkParts<B> {
    /// The effect of an event of the service's sagas: the batch that it asks for.
    ///
    /// # Errors
    /// As a consumer's.
    pub async fn effect(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some((saga, number)) = due::<B>(event)? else { return Ok(None) };
        let Some(batch) = B::BATCHES.find::<Asked<B::Change>>(&self.db, saga, number).await? else {
            return Err(EffectError::Event(format!("the saga {saga} has no batch {number}")));
        };
        let more = B::BATCHES.find::<Value>(&self.db, saga, number + 1).await?.is_some();
        let done = B::BATCHES.items.among(&self.db, saga, Group::Batch(number), &batch.ids).await?;
        let context = Context {
            caller: batch.asked.caller,
            correlation_id: saga.to_string().into(),
            ..Context::caused_by(&event.event)
        };
        let payload = self.carry_out((saga, number), &batch, &done, &context).await?;
        let closed = BatchClosed { closed_by: B::CLOSED_BY, payload: BulkPayload { more, ..payload } };
        Ok(Some(Event::new(&closed, new_id(), 1, self.clock.now(), &context)))
    }

    async fn carry_out(
        &self,
        (saga, number): (Id, i64),
        batch: &Batch<Asked<B::Change>>,
        done: &HashSet<Id>,
        context: &Context,
    ) -> Result<BulkPayload, EffectError> {
        let left: Vec<Id> = batch.ids.iter().copied().filter(|id| !done.contains(id)).collect();
        let mut before = match batch.asked.change {
            Work::Undo { undoes, batch } => self.before(undoes, batch).await?,
            Work::Change(_) => HashMap::new(),
        };
        let sent = left.into_iter().map(|id| {
            let taken = before.remove(&id);
            async move {
                let outcome = match &batch.asked.change {
                    Work::Change(change) => self.change_one((saga, number), id, change, context).await,
                    Work::Undo { undoes, .. } => {
                        self.revert_one((saga, number), (*undoes, taken), context).await
                    }
                };
                outcome.map(|outcome| outcomes::Tried { id, row: None, outcome })
            }
        });
        let mut sent = iter(sent).buffer_unordered(AT_ONCE);
        let mut tried = Vec::new();
        while let Some(outcome) = sent.next().await {
            tried.push(outcome?);
        }
        let sum = outcomes::sum(&self.db, B::BATCHES.items, (saga, number), done, &tried).await?;
        Ok(BulkPayload { delete: batch.asked.change.is_delete(), ..sum })
    }

    /// Changes one record as its owner would, as it was read: so the item has what it had before.
    async fn change_one(
        &self,
        batch: (Id, i64),
        id: Id,
        change: &B::Change,
        context: &Context,
    ) -> Result<Outcome, Error> {
        for _ in 0..RACES {
            let found = self.records.get(id).await?;
            let Ok(record) = B::visible(found.as_deref(), &context.caller) else {
                return Ok(Outcome::Refused);
            };
            let version = record.version();
            let Sent { command, with, noting } = B::command(change, id, context, self.clock.now())?;
            let context = Context { if_match: Some(Versions::from(version)), ..context.clone() };
            let prepared = Prepared { context, with, noting }.noting(B::BATCHES.items.in_batch(batch, id));
            match self.records.execute(id, command, prepared).await {
                Ok(after) if after.version() == version => return Ok(Outcome::Unchanged),
                Ok(_) => return Ok(Outcome::Changed),
                Err(error) if error.code == ErrorCode::StaleVersion => {}
                Err(error) if is_refusal(&error) => return Ok(Outcome::Refused),
                Err(error) => return Err(error),
            }
        }
        Err(Error::overloaded().with_cause(format_args!("others changed the record {id} each time")))
    }

    /// What the records of a batch were before the saga that is undone, and the versions that it left.
    async fn before(&self, undoes: Id, batch: i64) -> Result<HashMap<Id, Before<B>>, EffectError> {
        let items = self.batch_items(undoes, batch).await?;
        let mut before = undo::before::<B::Record>(&self.db, &items).await?;
        let mut found = HashMap::new();
        for item in items {
            let to = before.remove(&item.record_id);
            found.insert(item.record_id, (item, to));
        }
        Ok(found)
    }

    /// Takes one record back, if it still is as the saga left it.
    async fn revert_one(
        &self,
        batch: (Id, i64),
        (undoes, taken): (Id, Option<Before<B>>),
        context: &Context,
    ) -> Result<Outcome, Error> {
        let Some((item, to)) = taken.filter(|(item, to)| item.version == 0 || to.is_some()) else {
            return Ok(Outcome::Refused);
        };
        let id = item.record_id;
        let taken = Taken { id, to, after: item.after(), undo: Undo { saga_id: batch.0, undoes } };
        let Some(Sent { command, with, noting }) = B::reverting(self, taken, context).await? else {
            return Ok(Outcome::Refused);
        };
        let context = Context { if_match: Some(Versions::from(item.after())), ..context.clone() };
        let prepared = Prepared { context, with, noting }.noting(B::BATCHES.items.in_batch(batch, id));
        match self.records.execute(id, command, prepared).await {
            Ok(after) if after.version() == item.after() => Ok(Outcome::Unchanged),
            Ok(_) => Ok(Outcome::Changed),
            Err(error) if is_left(&error) => Ok(Outcome::Refused),
            Err(error) => Err(error),
        }
    }

    /// The unit that marks a batch as failed: its retries are used up.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn given_up(&self, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        match due::<B>(event) {
            Ok(Some(batch)) => give_up_batch(&self.db, batch, event, error, self.clock.now()).await,
            _ => Ok(UnitOfWork::default()),
        }
    }
}

/// What the start of a saga says to a consumer of batches.
#[derive(Deserialize)]
struct Started {
    saga: StartedSaga,
}

#[derive(Deserialize)]
struct StartedSaga {
    id: Id,
    kind: SagaKind,
}

/// The saga and the number of the batch that an event asks for.
fn due<B: Bulk>(event: &LoggedEvent) -> Result<Option<(Id, i64)>, EffectError> {
    if event.event.event_type == domain::events::SAGA_STARTED {
        let Started { saga } = event.payload()?;
        return Ok((saga.kind == B::SAGA).then_some((saga.id, 0)));
    }
    if event.event.event_type == B::CLOSED_BY {
        let BulkPayload { saga_id, number, more, .. } = event.payload()?;
        return Ok(more.then_some((saga_id, number + 1)));
    }
    Ok(None)
}
