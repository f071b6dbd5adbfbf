//! A customer, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deletion::Deletion;
use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Line, Name, Notes, OptionalEmail, Phone};

/// The stage of a customer in the sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum CustomerStatus {
    #[default]
    Lead,
    Active,
    Dormant,
}

impl CustomerStatus {
    pub const ALL: [Self; 3] = [Self::Lead, Self::Active, Self::Dormant];

    /// Its name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "LEAD",
            Self::Active => "ACTIVE",
            Self::Dormant => "DORMANT",
        }
    }
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub name: String,
    /// How the name is read (フリガナ); lists by name go by it.
    #[schema(required)]
    pub kana: Option<String>,
    #[schema(required)]
    pub email: Option<String>,
    #[schema(required)]
    pub phone: Option<String>,
    #[schema(required)]
    pub company: Option<String>,
    pub status: CustomerStatus,
    #[schema(required)]
    pub notes: Option<String>,
    pub owner_id: Id,
    /// When it was deleted. Only events have it: the API shows no deleted customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
    /// The customer into which a deleted one was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub merged_into: Option<Id>,
}

/// A new customer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    #[schema(value_type = Name)]
    pub name: String,
    /// How the name is read (フリガナ).
    #[schema(value_type = Option<Line>)]
    // Left out if absent: nodes of the version before refuse a field that they do not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kana: Option<String>,
    #[schema(value_type = Option<OptionalEmail>)]
    pub email: Option<String>,
    #[schema(value_type = Option<Phone>)]
    pub phone: Option<String>,
    #[schema(value_type = Option<Line>)]
    pub company: Option<String>,
    pub status: Option<CustomerStatus>,
    #[schema(value_type = Option<Notes>)]
    pub notes: Option<String>,
    /// The caller if absent; only MANAGER and ADMIN name another.
    pub owner_id: Option<Id>,
}

/// Changes of a customer; absent fields stay as they are, null clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerChanges {
    #[schema(value_type = Name, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub name: Option<String>,
    #[schema(value_type = Option<Line>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub kana: Change<String>,
    #[schema(value_type = Option<OptionalEmail>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub email: Change<String>,
    #[schema(value_type = Option<Phone>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub phone: Change<String>,
    #[schema(value_type = Option<Line>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub company: Change<String>,
    #[schema(value_type = CustomerStatus, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub status: Option<CustomerStatus>,
    #[schema(value_type = Option<Notes>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub notes: Change<String>,
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub owner_id: Option<Id>,
}

/// `customer.created`, `customer.updated`, `customer.deleted`, `customer.merged`, `customer.restored`: the customer after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CustomerPayload {
    pub customer: Customer,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The owner before, if the owner changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner_id: Option<Id>,
    /// The saga of a customer that is deleted, merged or restored: it deletes, moves or restores the records which refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saga_id: Option<Id>,
    /// The customer into which a merged one has gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<Id>,
    /// The saga that this undoes, if it is an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Id>,
}

impl CustomerPayload {
    /// What services remember of a deleted customer. A merged one has the other as its successor.
    pub fn deletion(&self) -> Option<Deletion> {
        let (saga_id, successor_id) = (self.saga_id?, self.merged_into);
        Some(Deletion { id: self.customer.id, version: 1, successor_id, approver_id: None, saga_id })
    }
}

impl Versioned for Customer {
    fn version(&self) -> i64 {
        self.version
    }
}
