//! A deal, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deal::stage::DealStage;
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::patch::{Change, present, some};
use kernel::text_schemas as shapes;
use kernel::text_schemas::{Currency, Notes, Title};
use kernel::whole_number::Whole;

/// A deal with a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deal {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub customer_id: Id,
    pub title: String,
    /// In the currency's minor unit: yen, cents.
    #[schema(minimum = 0)]
    pub amount: i64,
    #[schema(value_type = shapes::Currency)]
    pub currency: String,
    pub stage: DealStage,
    /// In percent.
    #[schema(minimum = 0, maximum = 100)]
    pub probability: i64,
    /// The day on which the customer is expected to decide.
    #[schema(required)]
    pub expected_on: Option<Day>,
    /// Why it was lost; null in every other stage.
    #[schema(required)]
    pub lost_reason: Option<String>,
    /// When it was won or lost; null while it is open.
    #[schema(required)]
    pub closed_at: Option<Timestamp>,
    pub owner_id: Id,
    /// When it was deleted. Only events have it: the API shows no deleted deals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
}

/// A new deal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeal {
    pub customer_id: Id,
    #[schema(value_type = Title)]
    pub title: String,
    /// In the currency's minor unit: yen, cents.
    #[schema(value_type = i64, minimum = 0, maximum = 9007199254740991_i64)]
    pub amount: Whole,
    /// `JPY` if absent.
    #[schema(value_type = Option<Currency>)]
    pub currency: Option<String>,
    /// QUALIFY if absent.
    pub stage: Option<DealStage>,
    /// In percent; that of the stage if absent.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100)]
    pub probability: Option<Whole>,
    pub expected_on: Option<Day>,
    /// Of a deal that is LOST, and of no other.
    #[schema(value_type = Option<Notes>)]
    pub lost_reason: Option<String>,
    /// The caller if absent; only MANAGER and ADMIN name another.
    pub owner_id: Option<Id>,
}

/// Changes of a deal; absent fields stay as they are, null clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealChanges {
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub customer_id: Option<Id>,
    #[schema(value_type = Title, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub title: Option<String>,
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 9007199254740991_i64)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub amount: Option<Whole>,
    #[schema(value_type = Currency, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub currency: Option<String>,
    /// To LOST only with a reason. A deal that is WON or LOST becomes open before it is the other.
    #[schema(value_type = DealStage, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub stage: Option<DealStage>,
    /// If absent, that of the stage when the stage changes.
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub probability: Option<Whole>,
    #[schema(value_type = Option<Day>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub expected_on: Change<Day>,
    #[schema(value_type = Option<Notes>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub lost_reason: Change<String>,
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub owner_id: Option<Id>,
}

/// `deal.created`, `deal.updated`, `deal.won`, `deal.lost`, `deal.deleted`: the deal after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DealPayload {
    pub deal: Deal,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The owner before, if the owner changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner_id: Option<Id>,
    /// The stage before, if the stage changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_stage: Option<DealStage>,
}

impl Versioned for Deal {
    fn version(&self) -> i64 {
        self.version
    }
}
