//! The payloads of the customer service's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::domain::{Customer, CustomerEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

/// `customer.created`, `customer.updated`, `customer.deleted`: the customer after it.
#[derive(Debug, Serialize, Deserialize)]
pub struct CustomerPayload {
    pub customer: Customer,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Who had it before, where the owner changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner_id: Option<Id>,
}

impl DomainEvent for CustomerEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::CUSTOMER_CREATED,
            Self::Updated { .. } => catalogue::CUSTOMER_UPDATED,
            Self::Deleted(_) => catalogue::CUSTOMER_DELETED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (customer, changed, previous_owner_id): (_, &[&str], _) = match self {
            Self::Created(after) | Self::Deleted(after) => (after, &[], None),
            Self::Updated { after, changed, previous_owner_id } => (after, changed, *previous_owner_id),
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&CustomerPayload { customer: customer.clone(), changed, previous_owner_id })
    }
}
