//! Changes of many records, batch by batch (SPEC §3, `POST /…/bulk`).
//!
//! A request stores its saga and all its batches, and no more. The consumer of the service that keeps the records carries out the
//! first batch when it sees the saga's start, and each further one when it sees the end of the one before. A batch may be begun
//! again after a crash: each change is committed with an item that only one commit can store, so no record is changed twice.

use std::collections::HashSet;

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::actors::sagas::progress::give_up_batch;
use crate::actors::sagas::start::start_bulk;
use crate::persistence::batches;
use crate::persistence::batches::{Batch, Batches};
use domain::bulk::change::{BulkChange, FILTERED_MAX, Selection};
use domain::bulk::progress::{BATCH, BatchClosed, BulkFound, BulkPayload, BulkProgress, NAMED_MAX};
use domain::saga::record::SagaKind;
use domain::saved_view::record::Filter;
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::{Event, EventType, LoggedEvent, Versioned};
use kernel::ids::{Id, new_id};
use kernel::page::{Page, PageRequest};
use runtime::consumer::EffectError;
use runtime::entity::{Aggregate, Entities, Prepared};
use runtime::journal::Journal;
use store::idempotency::{FirstAnswer, IDEMPOTENCY_KEYS};
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, StoreError};

/// Commands of a batch that are under way at the same time.
const AT_ONCE: usize = 32;
/// How often a record is read again that others change meanwhile.
const RACES: usize = 8;
/// Rows of a list that are read at a time for a filter.
const PAGE: i64 = 200;

/// Records that can be changed together.
pub trait Bulk: Sized + Send + Sync + 'static {
    type Record: Aggregate;
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
    ) -> Result<(<Self::Record as Aggregate>::Command, UnitOfWork), Error>;

    /// What the fields that are set were before, to undo the change.
    fn before(record: &<Self::Record as Aggregate>::State, change: &Self::Change) -> Value;
}

/// What a request asked for.
#[derive(Serialize, Deserialize)]
struct Asked<C> {
    change: C,
    caller: Caller,
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Changed,
    Unchanged,
    Refused,
}

/// Whether an error says that the record is missing, not the caller's to change, or in a state that does not allow it.
fn is_refusal(error: &Error) -> bool {
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
            let asked = Asked { change: change.clone(), caller: context.caller };
            let batch = Batch { asked, ids: ids.to_vec() };
            unit.writes.push(B::BATCHES.write(saga, number, batch));
        }
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
                let (command, _) = B::command(change, id, &context, now)?;
                match B::Record::decide(Some(&record), &command, &caller, id, now) {
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
        let done = B::BATCHES.changed(&self.db, saga, number).await?;
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
        let left = batch.ids.iter().copied().filter(|id| !done.contains(id));
        let sent = left.map(|id| async move {
            let outcome = self.change_one((saga, number), id, &batch.asked.change, context).await;
            outcome.map(|outcome| (id, outcome))
        });
        let mut sent = iter(sent).buffer_unordered(AT_ONCE);
        let mut payload = BulkPayload {
            saga_id: saga,
            number,
            more: false,
            delete: batch.asked.change.is_delete(),
            ids: done.iter().copied().collect(),
            count: 0,
            unchanged: 0,
            refused: Vec::new(),
            refused_rows: Vec::new(),
        };
        while let Some(outcome) = sent.next().await {
            match outcome? {
                (id, Outcome::Changed) => payload.ids.push(id),
                (_, Outcome::Unchanged) => payload.unchanged += 1,
                (id, Outcome::Refused) => payload.refused.push(id),
            }
        }
        payload.ids.sort_unstable();
        payload.refused.sort_unstable();
        payload.count = payload.ids.len() as i64;
        Ok(payload)
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
            let (command, mut with) = B::command(change, id, context, self.clock.now())?;
            with.writes.push(B::BATCHES.item(batch, id, version, B::before(record, change)));
            let context = Context { if_match: Some(Versions::from(version)), ..context.clone() };
            match self.records.execute(id, command, Prepared { context, with }).await {
                Ok(after) if after.version() == version => return Ok(Outcome::Unchanged),
                Ok(_) => return Ok(Outcome::Changed),
                Err(error) if error.code == ErrorCode::StaleVersion => {}
                Err(error) if is_refusal(&error) => return Ok(Outcome::Refused),
                Err(error) => return Err(error),
            }
        }
        Err(Error::overloaded().with_cause(format_args!("others changed the record {id} each time")))
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
