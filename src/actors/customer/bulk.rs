//! Customers that are changed together.

use crate::actors::bulk::{Bulk, BulkParts, Sent, Taken, filter_of, selected};
use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::customer::imports::{ImportAggregate, ImportedCustomers, finish};
use crate::actors::customer::service::CustomerService;
use crate::actors::deletions::saga_of;
use crate::actors::importing::ImportParts;
use crate::actors::sagas::start::{start, start_undo};
use crate::actors::undo::{Revert, Undo};
use crate::actors::user_check::check_owner_exists;
use crate::persistence::batches::{Batches, OF_CUSTOMERS};
use crate::persistence::saga_items::{CUSTOMER_ITEMS, events_at};
use crate::persistence::sagas;
use domain::bulk::change::{BulkChange, CustomersChange, Selection};
use domain::bulk::messages::{ChangeCustomers, PreviewCustomers};
use domain::bulk::progress::BulkFound;
use domain::customer::messages::{ListCustomers, SORTS};
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::CustomerCommand;
use domain::events::{CUSTOMERS_CHANGED, CUSTOMERS_IMPORTED, SAGA_COMPLETED, SAGA_STARTED};
use domain::saga::record::{Counted, Saga, SagaKind};
use domain::service_name::ServiceName;
use domain::undo::rules::check_undo;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use std::sync::Arc;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// Customers, as records that are changed together. Each deletion begins the cascade of its customer.
pub struct Customers;

impl Bulk for Customers {
    type Record = CustomerAggregate;
    type Change = CustomersChange;
    const SAGA: SagaKind = SagaKind::CustomersChange;
    const CLOSED_BY: EventType = CUSTOMERS_CHANGED;
    const BATCHES: Batches = OF_CUSTOMERS;

    fn visible<'a>(record: Option<&'a Customer>, caller: &Caller) -> Result<&'a Customer, Error> {
        rules::visible(record, caller)
    }

    fn command(
        change: &CustomersChange,
        id: Id,
        context: &Context,
        now: Timestamp,
    ) -> Result<Sent<CustomerAggregate>, Error> {
        if change.delete {
            let (saga_id, with) = start(SagaKind::CustomerDeletion, id, context, now);
            let noting = vec![CUSTOMER_ITEMS.in_cascade(saga_id, Counted::Customers, id)];
            return Ok(Sent { command: CustomerCommand::Delete { saga_id }, with, noting });
        }
        Ok(Sent::from(CustomerCommand::Change(rules::check_changes(change.changes())?)))
    }

    /// A customer that comes back, or goes, brings a saga of its own for what goes with it.
    async fn reverting(
        parts: &BulkParts<Self>,
        taken: Taken<Customer>,
        context: &Context,
    ) -> Result<Option<Sent<CustomerAggregate>>, Error> {
        let (id, now) = (taken.id, parts.clock.now());
        let Some(current) = parts.records.get(id).await? else { return Ok(None) };
        let comes_back = taken.to.as_ref().is_some_and(|to| to.deleted_at.is_none());
        let (saga_id, undoes, with) = match (current.deleted_at.is_some(), comes_back) {
            (true, true) => {
                let Some(deletion) = deletion_of(&parts.db, id, taken.after, now).await? else {
                    return Ok(None);
                };
                let kind = (SagaKind::CustomerRestoration, id);
                let (saga_id, with) = start_undo(kind, &deletion, context, now);
                (saga_id, deletion.id, with)
            }
            (false, false) => {
                let (saga_id, with) = start(SagaKind::CustomerDeletion, id, context, now);
                (saga_id, taken.undo.undoes, with)
            }
            _ => return Ok(Some(Sent::from(CustomerAggregate::revert(taken.to, taken.undo)))),
        };
        let noting = vec![CUSTOMER_ITEMS.in_cascade(saga_id, Counted::Customers, id)];
        let command = CustomerAggregate::revert(taken.to, Undo { saga_id, undoes });
        Ok(Some(Sent { command, with, noting }))
    }
}

/// The saga that deleted a customer by its version `after`, if it can still be undone.
async fn deletion_of(db: &Db, id: Id, after: i64, now: Timestamp) -> Result<Option<Saga>, Error> {
    let Some(event) = events_at(db, &[(id, after)]).await?.into_iter().next() else { return Ok(None) };
    let Some(saga) = saga_of(&event) else { return Ok(None) };
    let saga = sagas::find(db, saga).await?;
    Ok(saga.filter(|saga| check_undo(Some(saga), &Caller::system(), now).is_ok()))
}

impl CustomerService {
    pub(super) async fn change_many(&self, asked: ChangeCustomers) -> Result<Id, Error> {
        let ChangeCustomers { selection, change, context } = asked;
        let ids = self.selected(selection, &change, context.caller).await?;
        self.bulk.begin(ids, change, context).await
    }

    pub(super) async fn preview_many(&self, asked: PreviewCustomers) -> Result<BulkFound, Error> {
        let PreviewCustomers { selection, change, caller } = asked;
        let ids = self.selected(selection, &change, caller).await?;
        self.bulk.preview(&ids, &change, caller).await
    }

    /// The customers that are meant, if the caller may change customers so.
    async fn selected(
        &self,
        selection: Selection,
        change: &CustomersChange,
        caller: Caller,
    ) -> Result<Vec<Id>, Error> {
        let (field, owner) = change.owner();
        caller.may_set_owner(owner)?;
        check_owner_exists(&self.auth, &caller, owner, field).await?;
        selected(
            selection,
            |customer: &Customer| customer.id,
            async |filter, page| {
                self.list(&ListCustomers { caller, filter: filter_of(filter)?, sort: SORTS[0], page }).await
            },
        )
        .await
    }
}

/// The consumer that carries out batches.
pub struct CustomerBatches {
    pub customers: BulkParts<Customers>,
    pub imported: ImportParts<ImportedCustomers>,
    /// The imports of every kind, which are finished when their sagas are completed.
    pub imports: Entities<ImportAggregate>,
}

impl Consumer for CustomerBatches {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Customer.id());
    const NAME: &'static str = "customer.batches";
    const TYPES: &'static [EventType] =
        &[SAGA_STARTED, CUSTOMERS_CHANGED, CUSTOMERS_IMPORTED, SAGA_COMPLETED];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            if event.event.event_type == SAGA_COMPLETED {
                finish(db, &self.imports, event).await?;
                continue;
            }
            unit.events.extend(self.customers.effect(event).await?);
            unit.events.extend(self.imported.effect(event).await?);
        }
        Ok(unit)
    }

    async fn given_up(&self, _: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let mut unit = self.customers.given_up(event, error).await?;
        unit.join(self.imported.given_up(event, error).await?);
        Ok(unit)
    }
}
