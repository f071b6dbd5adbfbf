//! Changes of many records, batch by batch (SPEC §3, `POST /…/bulk`).
//!
//! A request stores its saga and all its batches, and no more. The consumer of the service that keeps the records carries out the
//! first batch when it sees the saga's start, and each further one when it sees the end of the one before. A batch may be begun
//! again after a crash: each change is committed with an item that only one commit can store, so no record is changed twice.
//! The undo of such a saga is a saga of the same kind, whose batches take back what the items say.

use std::collections::HashSet;
use std::future::ready;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::actors::sagas::start::{start_bulk, start_bulk_undo};
use crate::actors::undo::{Revert, Undo};
use crate::persistence::batches;
use crate::persistence::batches::{Batch, Batches};
use crate::persistence::saga_items::{Group, Item};
use domain::bulk::change::{BulkChange, FILTERED_MAX, Selection};
use domain::bulk::progress::{BATCH, BulkFound, BulkProgress, NAMED_MAX};
use domain::saga::record::SagaKind;
use domain::saved_view::record::Filter;
use domain::undo::messages::RevertMany;
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::context::Context;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::EventType;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use runtime::entity::{Aggregate, Entities};
use runtime::journal::Journal;
use store::idempotency::{FirstAnswer, IDEMPOTENCY_KEYS};
use store::noting::Noting;
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, StoreError};

/// Rows of a list that are read at a time for a filter.
const PAGE: i64 = 200;

/// Records that can be changed together.
pub trait Bulk: Sized + Send + Sync + 'static {
    type Record: Revert;
    type Change: BulkChange + Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    const SAGA: SagaKind;
    /// The type of the event that closes a batch.
    const CLOSED_BY: EventType;
    const BATCHES: Batches;

    /// The record, if the caller may see it.
    ///
    /// # Errors
    /// `not_found`.
    fn visible<'a>(
        record: Option<&'a <Self::Record as Aggregate>::State>,
        caller: &Caller,
    ) -> Result<&'a <Self::Record as Aggregate>::State, Error>;

    /// The command that changes one record, and what is committed with it.
    ///
    /// # Errors
    /// `invalid_fields`.
    fn command(
        change: &Self::Change,
        id: Id,
        context: &Context,
        now: Timestamp,
    ) -> Result<Sent<Self::Record>, Error>;

    /// The command that takes a record back to what it was, and what is committed with it; `None` if it can't be.
    ///
    /// # Errors
    /// `unavailable`.
    fn reverting(
        _parts: &BulkParts<Self>,
        taken: Taken<<Self::Record as Aggregate>::State>,
        _context: &Context,
    ) -> impl Future<Output = Result<Option<Sent<Self::Record>>, Error>> + Send {
        ready(Ok(Some(Sent::from(Self::Record::revert(taken.to, taken.undo)))))
    }
}

/// A command to a record, and what is committed with it.
pub struct Sent<A: Aggregate> {
    pub command: A::Command,
    pub with: UnitOfWork,
    pub noting: Vec<Noting>,
}

impl<A: Aggregate> Sent<A> {
    /// A command with which nothing else is committed.
    pub fn from(command: A::Command) -> Self {
        Self { command, with: UnitOfWork::default(), noting: Vec::new() }
    }
}

/// What a saga did with a record, and what that was before; `None` if it did not exist, or that is not known.
pub(super) type Before<B> = (Item, Option<<<B as Bulk>::Record as Aggregate>::State>);

/// A record that is taken back.
pub struct Taken<S> {
    pub id: Id,
    /// What it was; `None` if it did not exist.
    pub to: Option<S>,
    /// Its version after the saga that is undone.
    pub after: i64,
    pub undo: Undo,
}

/// What a request asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked<C> {
    pub(super) change: Work<C>,
    pub(super) caller: Caller,
}

/// What a batch does.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Work<C> {
    /// Takes back what this saga did in this batch.
    Undo {
        undoes: Id,
        batch: i64,
    },
    Change(C),
}

impl<C: BulkChange> Work<C> {
    pub(super) fn is_delete(&self) -> bool {
        matches!(self, Self::Change(change) if change.is_delete())
    }
}

/// Whether an error says that the record is missing, not the caller's to change, or in a state that does not allow it.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error.code, ErrorCode::NotFound | ErrorCode::Forbidden | ErrorCode::DealClosed)
}

/// The records that are meant: those that a list has under a filter are read page by page. `ask` reads a page.
///
/// # Errors
/// `invalid_fields` if there are none, or too many; those of `ask`.
pub async fn selected<T>(
    selection: Selection,
    id: impl Fn(&T) -> Id,
    ask: impl AsyncFn(Filter, PageRequest) -> Result<Page<T>, Error>,
) -> Result<Vec<Id>, Error> {
    let filter = match selection {
        Selection::Ids(ids) => return Ok(ids),
        Selection::Filter(filter) => filter,
    };
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = ask(filter.clone(), PageRequest::after(PAGE, after)).await?;
        ids.extend(page.items.iter().map(&id));
        if ids.len() > FILTERED_MAX {
            return Err(Error::fields(vec![FieldError::limit(
                "filter",
                "too_many_records",
                FILTERED_MAX as i64,
            )]));
        }
        match page.next {
            Some(next) => after = Some(next),
            None if ids.is_empty() => return Err(Error::field("filter", "no_records")),
            None => return Ok(ids),
        }
    }
}

/// The filter of a list's message, made of texts that were checked.
///
/// # Errors
/// `internal_error`: they were not.
pub fn filter_of<F: DeserializeOwned>(filter: Filter) -> Result<F, Error> {
    let fields = filter.into_iter().map(|(name, value)| (name, Value::String(value)));
    serde_json::from_value(Value::Object(fields.collect())).map_err(Error::internal)
}

/// What a service needs to change records of a kind together.
pub struct BulkParts<B: Bulk> {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub records: Entities<B::Record>,
}

impl<B: Bulk> Clone for BulkParts<B> {
    fn clone(&self) -> Self {
        let Self { db, journal, clock, records } = self;
        Self { db: db.clone(), journal: journal.clone(), clock: clock.clone(), records: records.clone() }
    }
}

impl<B: Bulk> BulkParts<B> {
    /// Stores the saga that changes these records; its id.
    ///
    /// # Errors
    /// `request_in_flight`, `unavailable`, `overloaded`.
    pub async fn begin(&self, ids: Vec<Id>, change: B::Change, context: Context) -> Result<Id, Error> {
        let now = self.clock.now();
        let bulk =
            BulkProgress { delete: change.is_delete(), total: ids.len() as i64, ..BulkProgress::default() };
        let (saga, mut unit) = start_bulk(B::SAGA, bulk, ids.len().div_ceil(BATCH), &context, now);
        for (number, ids) in (0..).zip(ids.chunks(BATCH)) {
            let asked = Asked { change: Work::Change(change.clone()), caller: context.caller };
            let batch = Batch { asked, ids: ids.to_vec() };
            unit.writes.push(B::BATCHES.write(saga, number, batch));
        }
        self.commit(saga, unit, &context, now).await
    }

    /// Stores the saga that takes back what another one did; its id.
    ///
    /// # Errors
    /// `not_undoable` if nothing is left to take back; `request_in_flight`, `unavailable`, `overloaded`.
    pub async fn begin_undo(&self, asked: RevertMany) -> Result<Id, Error> {
        let RevertMany { saga: original, except, context } = asked;
        let now = self.clock.now();
        let except: HashSet<Id> = except.into_iter().map(|record| record.id).collect();
        let batches = self.taken_back(original.id, &except).await?;
        let kept = batches.iter().map(|(_, ids)| ids.len() as i64).sum::<i64>();
        if kept + except.len() as i64 == 0 {
            return Err(Error::new(ErrorCode::NotUndoable));
        }
        let mut bulk = BulkProgress { total: kept + except.len() as i64, ..BulkProgress::default() };
        bulk.add(0, 0, &except.into_iter().collect::<Vec<_>>(), &[]);
        // A saga without a step would never end.
        let steps = batches.len().max(1);
        let (saga, mut unit) = start_bulk_undo((B::SAGA, bulk, steps), &original, &context, now);
        let batches = if batches.is_empty() { vec![(0, Vec::new())] } else { batches };
        for (number, (batch, ids)) in (0..).zip(batches) {
            let change: Work<B::Change> = Work::Undo { undoes: original.id, batch };
            let asked = Asked { change, caller: context.caller };
            unit.writes.push(B::BATCHES.write(saga, number, Batch { asked, ids }));
        }
        self.commit(saga, unit, &context, now).await
    }

    /// The records of each batch of a saga but these.
    async fn taken_back(&self, saga: Id, except: &HashSet<Id>) -> Result<Vec<(i64, Vec<Id>)>, Error> {
        let mut batches = Vec::new();
        for batch in 0.. {
            let items = self.batch_items(saga, batch).await?;
            if items.is_empty() && B::BATCHES.find::<Value>(&self.db, saga, batch).await?.is_none() {
                break;
            }
            let ids = items.iter().map(|item| item.record_id).filter(|id| !except.contains(id));
            let ids: Vec<Id> = ids.collect();
            if !ids.is_empty() {
                batches.push((batch, ids));
            }
        }
        Ok(batches)
    }

    /// The records that a batch changed.
    pub(super) async fn batch_items(&self, saga: Id, batch: i64) -> Result<Vec<Item>, StoreError> {
        // A batch has no more.
        B::BATCHES.items.page(&self.db, saga, Group::Batch(batch), None, BATCH as i64).await
    }

    pub(super) async fn commit(
        &self,
        saga: Id,
        mut unit: UnitOfWork,
        context: &Context,
        now: Timestamp,
    ) -> Result<Id, Error> {
        if let Some(claim) = &context.claim {
            let body = to_raw_value(&saga).map_err(Error::internal)?;
            unit.writes.push(FirstAnswer::new(claim, saga, None, body, now).write());
        }
        match self.journal.commit(unit).await {
            Ok(_) => Ok(saga),
            Err(CommitError::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
                Err(Error::new(ErrorCode::RequestInFlight))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the change would do, and which records it would delete.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn preview(&self, ids: &[Id], change: &B::Change, caller: Caller) -> Result<BulkFound, Error> {
        let now = self.clock.now();
        let context = Context { caller, ..Context::system() };
        let mut would =
            BulkProgress { delete: change.is_delete(), total: ids.len() as i64, ..BulkProgress::default() };
        let (mut deleted, mut refused) = (Vec::new(), Vec::new());
        for ids in ids.chunks(BATCH) {
            for record in batches::records(&self.db, B::Record::TABLE, ids).await? {
                let (id, record): (Id, Option<<B::Record as Aggregate>::State>) = record;
                let Some(record) = record else {
                    refused.push(id);
                    continue;
                };
                let sent = B::command(change, id, &context, now)?;
                match B::Record::decide(Some(&record), &sent.command, &caller, id, now) {
                    Ok(events) if events.is_empty() => would.unchanged += 1,
                    Ok(_) => {
                        would.changed += 1;
                        deleted.extend(change.is_delete().then_some(id));
                    }
                    Err(error) if is_refusal(&error) => refused.push(id),
                    Err(error) => return Err(error),
                }
            }
        }
        would.refused = refused.len() as i64;
        refused.truncate(NAMED_MAX);
        would.refused_ids = refused;
        Ok(BulkFound { would, deleted })
    }
}
