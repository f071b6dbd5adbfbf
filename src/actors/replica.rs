//! Event-carried state transfer: a service's own copy of the customers it refers to (SPEC §5.2).

use std::collections::HashMap;
use std::sync::Arc;

use super::catalogue::{CUSTOMER_CREATED, CUSTOMER_DELETED, CUSTOMER_UPDATED};
use super::customer::events::CustomerPayload;
use super::event::LoggedEvent;
use super::runtime::feed::{Consumer, EffectError};
use crate::ids::Id;
use crate::persistence::Db;
use crate::persistence::replicas::{CustomerReplica, OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use crate::persistence::table::Table;
use crate::persistence::unit::{Unit, Write};

const TYPES: &[&str] = &[CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMER_DELETED];

/// The copies after these events: the last of each customer.
fn copies(table: &'static Table, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
    let mut last: HashMap<Id, CustomerReplica> = HashMap::new();
    for event in events {
        let CustomerPayload { customer, .. } = event.payload()?;
        let copy = CustomerReplica {
            id: customer.id,
            version: customer.version,
            name: customer.name,
            owner_id: customer.owner_id,
            deleted_at: customer.deleted_at,
        };
        last.insert(copy.id, copy);
    }
    let writes = last.values().map(|copy| Write::put(table, copy.id, copy)).collect();
    Ok(Unit { writes, ..Unit::default() })
}

/// The copy that sales keeps.
pub struct SalesReplica;

impl Consumer for SalesReplica {
    const NAME: &'static str = "sales.customers";
    const TYPES: &'static [&'static str] = TYPES;

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        copies(&SALES_CUSTOMERS, events)
    }
}

/// The copy that opportunity keeps.
pub struct OpportunityReplica;

impl Consumer for OpportunityReplica {
    const NAME: &'static str = "opportunity.customers";
    const TYPES: &'static [&'static str] = TYPES;

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        copies(&OPPORTUNITY_CUSTOMERS, events)
    }
}
