//! The merge of two customers, and bringing back a customer that was deleted or merged.

use std::collections::HashMap;

use serde_json::value::to_raw_value;

use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::customer::service::CustomerService;
use crate::actors::sagas::start::{start, start_undo};
use crate::actors::undo;
use crate::actors::undo::{Revert, Undo, find_changes};
use crate::persistence::customers as queries;
use crate::persistence::customers::CUSTOMERS;
use crate::persistence::saga_items::{CUSTOMER_ITEMS, Group, Item};
use domain::customer::merge::{FindMerged, MergeCustomers};
use domain::customer::messages::FindCustomer;
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::CustomerCommand;
use domain::saga::record::{Counted, Saga, SagaKind};
use domain::undo::messages::{FindChanges, RevertCustomer};
use domain::undo::record::FoundChanges;
use domain::undo::rules::inverse;
use kernel::clock::Timestamp;
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::event::{Event, StateAfter};
use kernel::ids::Id;
use runtime::entity::Aggregate;
use runtime::prepared::Prepared;
use store::idempotency::FirstAnswer;
use store::noting::Step;
use store::unit_of_work::{LiveCheck, UnitOfWork, Write};

/// How often two customers are merged again because one of them changed meanwhile.
const ATTEMPTS: usize = 5;

impl CustomerService {
    /// Both customers of a merge: the one that stays, and the other one.
    pub(super) async fn merged_pair(&self, find: &FindMerged) -> Result<(Customer, Customer), Error> {
        if find.id == find.other_id {
            return Err(Error::field("other_id", "same_customer"));
        }
        let this = self.find(&FindCustomer { id: find.id, caller: find.caller }).await?;
        let other = self.find(&FindCustomer { id: find.other_id, caller: find.caller }).await;
        let other = other.map_err(|error| match error.code {
            ErrorCode::NotFound => Error::field("other_id", "unknown_customer"),
            _ => error,
        })?;
        Ok(((*this).clone(), (*other).clone()))
    }

    /// Merges a customer into another one: both rows and the start of the saga are one commit. So of two merges of one customer,
    /// on any nodes, one is committed; the other finds that the customer is gone.
    pub(super) async fn merge(&self, merge: MergeCustomers) -> Result<Id, Error> {
        let caller = merge.context.caller;
        let find = FindMerged { id: merge.id, other_id: merge.merge.other_id, caller };
        for attempt in 1.. {
            let pair = self.merged_pair(&find).await;
            let (this, other) = pair.map_err(|error| lost(error, attempt))?;
            merge.context.check_version(this.version)?;
            caller.may_set_owner(merge.merge.keep.changes(&this, &other).owner_id)?;
            match self.merge_as_read(&merge, &this, &other).await {
                Err(error) if is_race(&error) && attempt < ATTEMPTS => {}
                answer => return answer,
            }
        }
        Err(Error::overloaded())
    }

    async fn merge_as_read(
        &self,
        merge: &MergeCustomers,
        this: &Customer,
        other: &Customer,
    ) -> Result<Id, Error> {
        let now = self.clock.now();
        let (saga_id, mut with) = start(SagaKind::CustomerMerge, other.id, &merge.context, now);
        let saga =
            Context { correlation_id: saga_id.to_string().into(), claim: None, ..merge.context.clone() };
        match rules::merge_fields(this, other, &merge.merge.keep, now) {
            Some(event) => {
                let after = event.after();
                let step = Step { before: this.version, after: after.version };
                with.writes.push(CUSTOMER_ITEMS.in_cascade(saga_id, Counted::Customers, this.id).write(step));
                with.writes.push(
                    Write::row(&CUSTOMERS, this.id, CustomerAggregate::row(after)).expecting(this.version),
                );
                with.events.push(Event::new(&event, this.id, after.version, now, &saga));
            }
            None => with.writes.push(Write::check(&CUSTOMERS, this.id).expecting(this.version)),
        }
        answered(&mut with, &merge.context, saga_id, now)?;
        let context = Context { if_match: Some(Versions::from(other.version)), ..saga };
        let noting = CUSTOMER_ITEMS.in_cascade(saga_id, Counted::Customers, other.id);
        let command = CustomerCommand::MergeInto { into: this.id, saga_id };
        let merged =
            self.customers.execute(other.id, command, Prepared::new(context, with).noting(noting)).await;
        // Also after an error: the outcome of the commit may be unknown.
        self.customers.changed_beside(this.id).await;
        merged.map(|_| saga_id)
    }

    /// Brings back the customer that a saga deleted or merged; deletes or merges again the one that it brought back.
    pub(super) async fn revert(&self, asked: RevertCustomer) -> Result<Id, Error> {
        let RevertCustomer { saga, context } = asked;
        let (id, now) = (saga.subject_id, self.clock.now());
        let (item, to) = self.before(&saga).await?;
        let merged_into = to.merged_into;
        let kind = inverse(&saga, merged_into.is_some());
        let (saga_id, mut with) = start_undo((kind, id), &saga, &context, now);
        with.live_checks.extend(merged_into.map(|into| LiveCheck {
            table: &CUSTOMERS,
            id: into,
            code: ErrorCode::MergeConflict,
        }));
        answered(&mut with, &context, saga_id, now)?;
        let noting = CUSTOMER_ITEMS.in_cascade(saga_id, Counted::Customers, id);
        let command = CustomerAggregate::revert(Some(to), Undo { saga_id, undoes: saga.id });
        let if_match = Some(Versions::from(item.after()));
        let context =
            Context { if_match, claim: None, correlation_id: saga_id.to_string().into(), ..context };
        let reverted = self.customers.execute(id, command, Prepared::new(context, with).noting(noting)).await;
        match reverted {
            Ok(_) => Ok(saga_id),
            Err(error) if error.code == ErrorCode::StaleVersion => Err(Error::new(ErrorCode::ChangedSince)),
            Err(error) => Err(error),
        }
    }

    /// What the customer of a saga was before it.
    async fn before(&self, saga: &Saga) -> Result<(Item, Customer), Error> {
        let gone = || Error::new(ErrorCode::NotUndoable);
        let group = Group::Kind(Counted::Customers);
        let item = CUSTOMER_ITEMS.find(&self.db, saga.id, group, saga.subject_id).await?.ok_or_else(gone)?;
        let mut before: HashMap<Id, Customer> =
            undo::before::<CustomerAggregate>(&self.db, std::slice::from_ref(&item)).await?;
        let to = before.remove(&saga.subject_id).ok_or_else(gone)?;
        Ok((item, to))
    }

    /// Which customers the undo of a saga would take back.
    pub(super) async fn find_changes(&self, asked: &FindChanges) -> Result<FoundChanges, Error> {
        let saga = &asked.saga;
        let group = if saga.bulk.is_some() { Group::All } else { Group::Kind(Counted::Customers) };
        find_changes::<CustomerAggregate>(&self.db, CUSTOMER_ITEMS, (saga.id, group)).await
    }

    /// The customers that a saga created.
    pub(super) async fn find_created(&self, saga: Id) -> Result<Vec<Id>, Error> {
        Ok(queries::created_by(&self.db, CUSTOMER_ITEMS, saga).await?)
    }
}

/// Stores the first answer to the request: the saga's id.
fn answered(with: &mut UnitOfWork, context: &Context, saga_id: Id, now: Timestamp) -> Result<(), Error> {
    if let Some(claim) = &context.claim {
        let body = to_raw_value(&saga_id).map_err(Error::internal)?;
        with.writes.push(FirstAnswer::new(claim, saga_id, None, body, now).write());
    }
    Ok(())
}

/// Whether the two customers are to be read again.
fn is_race(error: &Error) -> bool {
    error.code == ErrorCode::StaleVersion || error.is_passing()
}

/// A customer that was there at first and is gone at a later attempt has lost against another merge or a deletion.
fn lost(error: Error, attempt: usize) -> Error {
    match error.code {
        ErrorCode::NotFound | ErrorCode::InvalidFields if attempt > 1 => Error::new(ErrorCode::MergeConflict),
        _ => error,
    }
}
