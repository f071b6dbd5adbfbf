//! The payloads of the customer service's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::domain::{Customer, CustomerEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;
use crate::persistence::departures::Departure;

/// `customer.created`, `customer.updated`, `customer.deleted`: the customer after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CustomerPayload {
    pub customer: Customer,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Who had it before, where the owner changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner_id: Option<Id>,
    /// The saga that deletes what refers to a deleted customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saga_id: Option<Id>,
}

impl CustomerPayload {
    /// As services keep a deleted customer in mind; nobody inherits.
    pub fn departure(&self) -> Option<Departure> {
        let saga_id = self.saga_id?;
        Some(Departure { id: self.customer.id, version: 1, successor_id: None, approver_id: None, saga_id })
    }
}

impl DomainEvent for CustomerEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::CUSTOMER_CREATED,
            Self::Updated { .. } => catalogue::CUSTOMER_UPDATED,
            Self::Deleted { .. } => catalogue::CUSTOMER_DELETED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let payload = |customer: &Customer| CustomerPayload {
            customer: customer.clone(),
            changed: Vec::new(),
            previous_owner_id: None,
            saga_id: None,
        };
        raw(&match self {
            Self::Created(after) => payload(after),
            Self::Deleted { after, saga_id } => CustomerPayload { saga_id: Some(*saga_id), ..payload(after) },
            Self::Updated { after, changed, previous_owner_id } => CustomerPayload {
                changed: changed.iter().map(|name| (*name).to_owned()).collect(),
                previous_owner_id: *previous_owner_id,
                ..payload(after)
            },
        })
    }
}
