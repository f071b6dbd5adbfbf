//! Customers that are changed together.

use serde_json::{Value, json};

use crate::actors::bulk::{Bulk, BulkParts, filter_of, selected};
use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::customer::imports::{ImportAggregate, ImportedCustomers, finish};
use crate::actors::customer::service::CustomerService;
use crate::actors::importing::ImportParts;
use crate::actors::sagas::start::start;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::batches::{Batches, OF_CUSTOMERS};
use domain::bulk::change::{BulkChange, CustomersChange, Selection};
use domain::bulk::messages::{ChangeCustomers, PreviewCustomers};
use domain::bulk::progress::BulkFound;
use domain::customer::messages::{ListCustomers, SORTS};
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::CustomerCommand;
use domain::events::{CUSTOMERS_CHANGED, CUSTOMERS_IMPORTED, SAGA_COMPLETED, SAGA_STARTED};
use domain::saga::record::SagaKind;
use domain::service_name::ServiceName;
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
    ) -> Result<(CustomerCommand, UnitOfWork), Error> {
        if change.delete {
            let (saga_id, with) = start(SagaKind::CustomerDeletion, id, context, now);
            return Ok((CustomerCommand::Delete { saga_id }, with));
        }
        Ok((CustomerCommand::Change(rules::check_changes(change.changes())?), UnitOfWork::default()))
    }

    fn before(record: &Customer, change: &CustomersChange) -> Value {
        match change.delete {
            true => json!({}),
            false => json!({"status": record.status, "owner_id": record.owner_id}),
        }
    }
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

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            if event.event.event_type == SAGA_COMPLETED {
                finish(&self.imports, event).await?;
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
