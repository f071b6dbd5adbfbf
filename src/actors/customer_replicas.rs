//! Replicas: the copies of customers that other services keep, made from events (SPEC §5.2).

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::collections::HashMap;
use std::sync::Arc;

use crate::persistence::customer_replicas::{
    CustomerReplica, OPPORTUNITY_CUSTOMERS, ReplicaRow, SALES_CUSTOMERS,
};
use domain::customer::record::CustomerPayload;
use domain::events::{
    CUSTOMER_CREATED, CUSTOMER_DELETED, CUSTOMER_MERGED, CUSTOMER_RESTORED, CUSTOMER_UPDATED,
};
use domain::search::keys::RecordKeys;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use store::Db;
use store::table::Table;
use store::unit_of_work::{UnitOfWork, Write};

const TYPES: &[EventType] =
    &[CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMER_DELETED, CUSTOMER_MERGED, CUSTOMER_RESTORED];

/// The copies after these events: the last state of each customer.
fn copies(table: &'static Table, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
    let mut last: HashMap<Id, ReplicaRow> = HashMap::new();
    for event in events {
        let CustomerPayload { customer, .. } = event.payload()?;
        let keys = RecordKeys::of_replica(customer.version, &customer.name);
        let replica = CustomerReplica {
            id: customer.id,
            version: customer.version,
            name: customer.name,
            owner_id: customer.owner_id,
            deleted_at: customer.deleted_at,
        };
        last.insert(replica.id, ReplicaRow { replica, keys });
    }
    let writes = last.values().map(|copy| Write::put(table, copy.replica.id, copy)).collect();
    Ok(UnitOfWork { writes, ..UnitOfWork::default() })
}

/// The consumer that keeps the replica of sales.
pub struct SalesReplica;

impl Consumer for SalesReplica {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Sales.id());
    const NAME: &'static str = "sales.customers";
    const TYPES: &'static [EventType] = TYPES;

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        copies(&SALES_CUSTOMERS, events)
    }
}

/// The consumer that keeps the replica of opportunity.
pub struct OpportunityReplica;

impl Consumer for OpportunityReplica {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Opportunity.id());
    const NAME: &'static str = "opportunity.customers";
    const TYPES: &'static [EventType] = TYPES;

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        copies(&OPPORTUNITY_CUSTOMERS, events)
    }
}
