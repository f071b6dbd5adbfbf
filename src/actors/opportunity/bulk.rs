//! Deals that are changed together.

use std::sync::Arc;

use crate::actors::bulk::{Bulk, BulkParts, Sent, filter_of, selected};
use crate::actors::importing::ImportParts;
use crate::actors::opportunity::deal_aggregate::DealAggregate;
use crate::actors::opportunity::imports::ImportedDeals;
use crate::actors::opportunity::service::OpportunityService;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::batches::{Batches, OF_OPPORTUNITY};
use domain::bulk::change::{BulkChange, DealsChange, Selection};
use domain::bulk::messages::{ChangeDeals, PreviewDeals};
use domain::bulk::progress::BulkFound;
use domain::deal;
use domain::deal::messages::ListDeals;
use domain::deal::record::Deal;
use domain::deal::rules::DealCommand;
use domain::deal::{rules, validation};
use domain::events::{DEALS_CHANGED, DEALS_IMPORTED, SAGA_STARTED};
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
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// Deals, as records that are changed together.
pub struct Deals;

impl Bulk for Deals {
    type Record = DealAggregate;
    type Change = DealsChange;
    const SAGA: SagaKind = SagaKind::DealsChange;
    const CLOSED_BY: EventType = DEALS_CHANGED;
    const BATCHES: Batches = OF_OPPORTUNITY;

    fn visible<'a>(record: Option<&'a Deal>, caller: &Caller) -> Result<&'a Deal, Error> {
        rules::visible(record, caller)
    }

    fn command(change: &DealsChange, _: Id, _: &Context, _: Timestamp) -> Result<Sent<DealAggregate>, Error> {
        let command = match change.delete {
            true => DealCommand::Delete,
            false => DealCommand::Change(validation::check_changes(change.changes())?),
        };
        Ok(Sent::from(command))
    }
}

impl OpportunityService {
    pub(super) async fn change_deals(&self, asked: ChangeDeals) -> Result<Id, Error> {
        let ChangeDeals { selection, change, context } = asked;
        let ids = self.selected_deals(selection, &change, context.caller).await?;
        self.deals_bulk.begin(ids, change, context).await
    }

    pub(super) async fn preview_deals(&self, asked: PreviewDeals) -> Result<BulkFound, Error> {
        let PreviewDeals { selection, change, caller } = asked;
        let ids = self.selected_deals(selection, &change, caller).await?;
        self.deals_bulk.preview(&ids, &change, caller).await
    }

    async fn selected_deals(
        &self,
        selection: Selection,
        change: &DealsChange,
        caller: Caller,
    ) -> Result<Vec<Id>, Error> {
        let (field, owner) = change.owner();
        change.check_reason()?;
        validation::check_changes(change.changes())?;
        caller.may_set_owner(owner)?;
        check_owner_exists(&self.auth, &caller, owner, field).await?;
        let sort = deal::messages::SORTS[0];
        selected(
            selection,
            |deal: &Deal| deal.id,
            async |filter, page| {
                self.list_deals(ListDeals { caller, filter: filter_of(filter)?, sort, page }).await
            },
        )
        .await
    }
}

/// The consumer that carries out batches.
pub struct OpportunityBatches {
    pub deals: BulkParts<Deals>,
    pub imported: ImportParts<ImportedDeals>,
}

impl Consumer for OpportunityBatches {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Opportunity.id());
    const NAME: &'static str = "opportunity.batches";
    const TYPES: &'static [EventType] = &[SAGA_STARTED, DEALS_CHANGED, DEALS_IMPORTED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            unit.events.extend(self.deals.effect(event).await?);
            unit.events.extend(self.imported.effect(event).await?);
        }
        Ok(unit)
    }

    async fn given_up(&self, _: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let mut unit = self.deals.given_up(event, error).await?;
        unit.join(self.imported.given_up(event, error).await?);
        Ok(unit)
    }
}
