//! Deals as records that are imported.

use serde_json::{Map, Value};

use crate::actors::customer::client::CustomerPeer;
use crate::actors::importing::Imported;
use crate::actors::opportunity::deal_aggregate::DealAggregate;
use crate::persistence::batches::{Batches, OF_OPPORTUNITY};
use crate::persistence::external_ids::OPPORTUNITY_EXTERNAL_IDS;
use domain::deal::record::{Deal, DealChanges, NewDeal};
use domain::deal::rules::DealCommand;
use domain::deal::{rules, validation};
use domain::events::DEALS_IMPORTED;
use domain::import::record::ImportKind;
use domain::import::row::body;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::event::EventType;
use kernel::ids::Id;
use store::table::Table;

/// Deals, as records that are imported.
pub struct ImportedDeals;

impl Imported for ImportedDeals {
    type Record = DealAggregate;
    type Customers = CustomerPeer;
    const KIND: ImportKind = ImportKind::Deals;
    const CLOSED_BY: EventType = DEALS_IMPORTED;
    const BATCHES: Batches = OF_OPPORTUNITY;
    const EXTERNAL_IDS: &'static Table = &OPPORTUNITY_EXTERNAL_IDS;

    fn visible<'a>(record: Option<&'a Deal>, caller: &Caller) -> Result<&'a Deal, Error> {
        rules::visible(record, caller)
    }

    fn create(fields: &Map<String, Value>) -> Result<DealCommand, Error> {
        Ok(DealCommand::Create(validation::check_new(body::<NewDeal>(fields)?)?))
    }

    fn change(fields: &Map<String, Value>) -> Result<DealCommand, Error> {
        Ok(DealCommand::Change(validation::check_changes(body::<DealChanges>(fields)?)?))
    }

    fn id(record: &Deal) -> Id {
        record.id
    }

    fn currency(record: &Deal) -> Option<&str> {
        Some(&record.currency)
    }

    fn needs_customer(record: &Deal, fields: &Map<String, Value>) -> Option<Id> {
        let changes = body::<DealChanges>(fields).ok()?;
        rules::reopens(record, &changes).then_some(record.customer_id)
    }
}
