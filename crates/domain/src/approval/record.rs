//! An approval request, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::text_schemas as shapes;
use kernel::text_schemas::{Currency, Notes, Title};
use kernel::whole_number::Whole;

/// The status of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Rejected,
    Cancelled,
}

/// A request for approval, and what was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub customer_id: Id,
    /// The deal that it is about; one of the same customer when it was requested.
    #[serde(default)]
    #[schema(required)]
    pub deal_id: Option<Id>,
    pub title: String,
    /// In the currency's minor unit: yen, cents.
    #[schema(minimum = 0)]
    pub amount: i64,
    #[schema(value_type = shapes::Currency)]
    pub currency: String,
    #[schema(required)]
    pub reason: Option<String>,
    pub status: ApprovalStatus,
    pub requester_id: Id,
    /// The user who is to decide; every MANAGER if null.
    #[schema(required)]
    pub approver_id: Option<Id>,
    /// Who approved, rejected or cancelled it.
    #[schema(required)]
    pub decided_by: Option<Id>,
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// Their comment.
    #[schema(required)]
    pub comment: Option<String>,
}

/// A new approval request; the caller is its requester.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApproval {
    pub customer_id: Id,
    /// A deal of the customer that the caller may see.
    pub deal_id: Option<Id>,
    #[schema(value_type = Title)]
    pub title: String,
    /// In the currency's minor unit: yen, cents.
    #[schema(value_type = i64, minimum = 0, maximum = 9007199254740991_i64)]
    pub amount: Whole,
    /// `JPY` if absent.
    #[schema(value_type = Option<Currency>)]
    pub currency: Option<String>,
    #[schema(value_type = Option<Notes>)]
    pub reason: Option<String>,
    /// A MANAGER or ADMIN. If absent, the requester's manager; if there is no such manager, every MANAGER may decide.
    pub approver_id: Option<Id>,
}

/// `approval.requested`, `approval.approved`, `approval.rejected`, `approval.cancelled`,
/// `approval.reassigned`: the approval after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApprovalPayload {
    pub approval: Approval,
    /// Names of the changed fields, if it was reassigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The approver before, if the approver changed and there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_approver_id: Option<Id>,
    /// The requester before, if the requester changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_requester_id: Option<Id>,
}

impl Versioned for Approval {
    fn version(&self) -> i64 {
        self.version
    }
}
