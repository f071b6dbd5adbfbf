//! Carries out imports, batch by batch, as `bulk` does changes of many records: each record is made or changed once, because an item
//! is committed with it that only one commit can store.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::actors::importing::{Asked, ImportParts, Imported};
use crate::actors::outcomes;
use crate::actors::outcomes::{Outcome, Tried};
use crate::actors::sagas::progress::give_up_batch;
use crate::persistence::batches::Batch;
use crate::persistence::external_ids;
use crate::persistence::external_ids::Holders;
use crate::persistence::saga_items::Group;
use domain::bulk::progress::{BatchClosed, BulkPayload};
use domain::events::SAGA_STARTED;
use domain::import::messages::RowWork;
use domain::saga::record::SagaKind;
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::event::{Event, LoggedEvent, Versioned};
use kernel::ids::{Id, new_id};
use runtime::consumer::EffectError;
use runtime::prepared::Prepared;
use store::StoreError;
use store::noting::Step;
use store::unit_of_work::UnitOfWork;

/// Commands of a batch that are under way at the same time.
const AT_ONCE: usize = 32;
/// How often a row is decided again because others changed what it depends on.
const RACES: usize = 8;

/// Whether an error says that the row does not fit any more: its record or customer is gone, its address is another's, its deal closed.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error.code,
        ErrorCode::NotFound
            | ErrorCode::Forbidden
            | ErrorCode::DealClosed
            | ErrorCode::DuplicateCustomer
            | ErrorCode::InvalidFields
    )
}

/// A batch that is carried out.
struct Work<'a> {
    batch: (Id, i64),
    context: &'a Context,
    /// By record, the customer whom its row needs.
    needed: BTreeMap<Id, Id>,
    live: HashSet<Id>,
    holders: HashMap<String, Holders>,
}

impl<I: Imported> ImportParts<I> {
    /// The effect of an event of the service's sagas: the batch that it asks for.
    ///
    /// # Errors
    /// As a consumer's.
    pub async fn effect(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some((saga, number)) = due::<I>(event)? else { return Ok(None) };
        let Some(batch) = I::BATCHES.find::<Asked>(&self.db, saga, number).await? else {
            return Err(EffectError::Event(format!("the saga {saga} has no batch {number}")));
        };
        let more = I::BATCHES.find::<Value>(&self.db, saga, number + 1).await?.is_some();
        let ids: Vec<Id> = batch.asked.change.rows.iter().map(|row| row.id).collect();
        let done = I::BATCHES.items.among(&self.db, saga, Group::Batch(number), &ids).await?;
        let context = Context {
            caller: batch.asked.caller,
            correlation_id: saga.to_string().into(),
            ..Context::caused_by(&event.event)
        };
        let payload = self.carry_out((saga, number), &batch, &done, &context).await?;
        let closed = BatchClosed { closed_by: I::CLOSED_BY, payload: BulkPayload { more, ..payload } };
        Ok(Some(Event::new(&closed, new_id(), 1, self.clock.now(), &context)))
    }

    async fn carry_out(
        &self,
        batch: (Id, i64),
        stored: &Batch<Asked>,
        done: &HashSet<Id>,
        context: &Context,
    ) -> Result<BulkPayload, EffectError> {
        let rows = stored.asked.change.rows.iter();
        let left: Vec<RowWork> = rows.filter(|row| !done.contains(&row.id)).cloned().collect();
        let work = self.work(batch, &left, context).await?;
        let sent = left.into_iter().map(|row| {
            let work = &work;
            async move {
                let outcome = self.take(work, &row).await;
                outcome.map(|outcome| Tried { id: row.id, row: Some(row.row), outcome })
            }
        });
        let mut sent = iter(sent).buffer_unordered(AT_ONCE);
        let mut tried = Vec::new();
        while let Some(outcome) = sent.next().await {
            tried.push(outcome?);
        }
        Ok(outcomes::sum(&self.db, I::BATCHES.items, batch, done, &tried).await?)
    }

    async fn work<'a>(
        &self,
        batch: (Id, i64),
        rows: &[RowWork],
        context: &'a Context,
    ) -> Result<Work<'a>, Error> {
        let needed = self.customers_needed(&rows.iter().collect::<Vec<_>>(), false).await?;
        let live = self.live_customers(&needed, &context.caller).await?;
        let keys: BTreeSet<String> = rows.iter().filter_map(|row| row.external_id.clone()).collect();
        let holders = external_ids::holders(&self.db, I::EXTERNAL_IDS, I::KIND, &keys).await?;
        Ok(Work { batch, context, needed, live, holders })
    }

    async fn take(&self, work: &Work<'_>, row: &RowWork) -> Result<Outcome, Error> {
        if work.needed.get(&row.id).is_some_and(|customer| !work.live.contains(customer)) {
            return Ok(Outcome::Refused);
        }
        let mut holders = match &row.external_id {
            Some(key) => work.holders.get(key).cloned().unwrap_or_default(),
            None => Holders::default(),
        };
        for _ in 0..RACES {
            let taken = if row.is_new {
                self.create_one(work, row, &holders).await
            } else {
                self.change_one(work, row, &holders).await
            };
            match taken {
                Err(error) if error.code == ErrorCode::StaleVersion => {}
                Err(error) if is_refusal(&error) => return Ok(Outcome::Refused),
                // What the commit builds on has changed, or another node carries out the same batch.
                Err(error) if error.is_passing() || error.code == ErrorCode::Internal => {
                    if self.is_done(work, row).await? {
                        return Ok(Outcome::Changed);
                    }
                    let Some(key) = &row.external_id else { return Err(error) };
                    let again = self.holders(key).await?;
                    if again == holders {
                        return Err(error);
                    }
                    holders = again;
                }
                taken => return taken,
            }
        }
        Err(Error::overloaded()
            .with_cause(format_args!("others changed what row {} needs each time", row.row)))
    }

    async fn is_done(&self, work: &Work<'_>, row: &RowWork) -> Result<bool, Error> {
        let (saga, number) = work.batch;
        let group = Group::Batch(number);
        Ok(I::BATCHES.items.find(&self.db, saga, group, row.id).await?.is_some())
    }

    async fn holders(&self, key: &str) -> Result<Holders, Error> {
        let keys = BTreeSet::from([key.to_owned()]);
        let found = external_ids::holders(&self.db, I::EXTERNAL_IDS, I::KIND, &keys).await?;
        Ok(found.into_values().next().unwrap_or_default())
    }

    /// What is committed with a record: its external id. `None` if another record has it that the caller sees.
    async fn with(
        &self,
        work: &Work<'_>,
        row: &RowWork,
        holders: &Holders,
    ) -> Result<Option<UnitOfWork>, Error> {
        let mut unit = UnitOfWork::default();
        let Some(key) = row.external_id.as_ref().filter(|_| !holders.records.contains(&row.id)) else {
            return Ok(Some(unit));
        };
        let (mut live, system) = (HashSet::new(), kernel::caller::Caller::system());
        for id in &holders.records {
            let record = self.records.get(*id).await?;
            if I::visible(record.as_deref(), &work.context.caller).is_ok() {
                return Ok(None);
            }
            if I::visible(record.as_deref(), &system).is_ok() {
                live.insert(*id);
            }
        }
        let write = holders.with(I::EXTERNAL_IDS, (I::KIND, key), row.id, |id| live.contains(id));
        Ok(write.map(|write| {
            unit.writes.push(write);
            unit
        }))
    }

    async fn create_one(&self, work: &Work<'_>, row: &RowWork, holders: &Holders) -> Result<Outcome, Error> {
        let command = I::create(&row.fields)?;
        let Some(mut with) = self.with(work, row, holders).await? else {
            return Ok(Outcome::Refused);
        };
        if let Some(email) = email(&row.fields) {
            with.unique_checks.extend(I::unique_email(&work.context.caller, &email, None));
        }
        let prepared = Prepared::new(work.context.clone(), with);
        let prepared = prepared.noting(I::BATCHES.items.in_batch(work.batch, row.id));
        self.records.create(row.id, command, prepared).await?;
        Ok(Outcome::Changed)
    }

    /// Changes a record as it was read.
    async fn change_one(&self, work: &Work<'_>, row: &RowWork, holders: &Holders) -> Result<Outcome, Error> {
        let found = self.records.get(row.id).await?;
        let record = I::visible(found.as_deref(), &work.context.caller)?;
        let version = record.version();
        let command = I::change(&row.fields)?;
        let Some(mut with) = self.with(work, row, holders).await? else {
            return Ok(Outcome::Refused);
        };
        let has = I::as_customer(record).and_then(|customer| customer.email.clone());
        if let Some(email) = email(&row.fields).filter(|email| has.as_ref() != Some(email)) {
            with.unique_checks.extend(I::unique_email(&work.context.caller, &email, Some(row.id)));
        }
        let context = Context { if_match: Some(Versions::from(version)), ..work.context.clone() };
        let noting = I::BATCHES.items.in_batch(work.batch, row.id);
        let prepared = Prepared::new(context, with.clone()).noting(noting.clone());
        let after = self.records.execute(row.id, command, prepared).await?;
        if after.version() > version {
            return Ok(Outcome::Changed);
        }
        if with.writes.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        // A record that is as its row says gets its external id alone.
        with.writes.push(noting.write(Step { before: version, after: version }));
        self.journal.commit(with).await?;
        Ok(Outcome::Changed)
    }

    /// The unit that marks a batch as failed: its retries are used up.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn given_up(&self, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        match due::<I>(event) {
            Ok(Some(batch)) => give_up_batch(&self.db, batch, event, error, self.clock.now()).await,
            _ => Ok(UnitOfWork::default()),
        }
    }
}

/// The address of a row, as it is stored.
fn email(fields: &Map<String, Value>) -> Option<String> {
    fields.get("email").and_then(Value::as_str).map(|email| email.trim().to_ascii_lowercase())
}

/// What the start of a saga says.
#[derive(Deserialize)]
struct Started {
    saga: StartedSaga,
}

#[derive(Deserialize)]
struct StartedSaga {
    id: Id,
    kind: SagaKind,
    /// Of an import that changes nothing there is none.
    #[serde(default)]
    steps: Vec<IgnoredAny>,
}

/// The saga and the number of the batch that an event asks for.
fn due<I: Imported>(event: &LoggedEvent) -> Result<Option<(Id, i64)>, EffectError> {
    if event.event.event_type == SAGA_STARTED {
        let Started { saga } = event.payload()?;
        return Ok((saga.kind == I::KIND.saga() && !saga.steps.is_empty()).then_some((saga.id, 0)));
    }
    if event.event.event_type == I::CLOSED_BY {
        let BulkPayload { saga_id, number, more, .. } = event.payload()?;
        return Ok(more.then_some((saga_id, number + 1)));
    }
    Ok(None)
}
