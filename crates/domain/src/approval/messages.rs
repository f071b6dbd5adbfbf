//! The messages of the opportunity service.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::approval::record::ApprovalStatus;
use crate::approval::record::NewApproval;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};
use kernel::text_schemas::{DecisionComment, Notes};

/// The body of an approval or a cancellation.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionalComment {
    #[schema(value_type = Option<Notes>)]
    pub comment: Option<String>,
}

/// Why an approval is rejected.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredComment {
    #[schema(value_type = DecisionComment)]
    pub comment: String,
}

/// The new approver of a request.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApprover {
    /// A MANAGER or ADMIN, but not the requester.
    pub approver_id: Id,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct RequestApproval {
    pub approval: NewApproval,
    pub context: Context,
}

/// A decision on a pending approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Decision {
    Approve(OptionalComment),
    Reject(RequiredComment),
    Cancel(OptionalComment),
    Reassign(NewApprover),
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DecideApproval {
    pub id: Id,
    pub decision: Decision,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindApproval {
    pub id: Id,
    pub caller: Caller,
}

/// The events about an approval that the caller may see, newest first: those that the live feed would show the caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadApprovalActivity {
    pub id: Id,
    pub caller: Caller,
    pub page: PageRequest,
}

/// The filter of a list of approvals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ApprovalFilter {
    /// Words of the title, reason or comment, or of the customer's name (see [`Words`](kernel::search::Words)).
    #[serde(default)]
    pub q: Option<String>,
    pub status: Option<ApprovalStatus>,
    pub customer_id: Option<Id>,
    #[serde(default)]
    pub deal_id: Option<Id>,
    pub requester_id: Option<Id>,
    pub approver_id: Option<Id>,
    /// Those that wait for this user's decision: theirs to decide or every MANAGER's, and not requested by them.
    #[serde(default)]
    pub awaits: Option<Id>,
}

/// The orders that `?sort=` may name; the first is the default. Amounts are compared in their currency's minor unit,
/// whatever the currency.
pub const SORTS: [Sort; 4] = [
    Sort::time("-created_at", "created_at", true),
    Sort::time("created_at", "created_at", false),
    Sort::number("-amount", "amount", true),
    Sort::number("amount", "amount", false),
];

kernel::sort_names!(SORTS);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListApprovals {
    pub caller: Caller,
    pub filter: ApprovalFilter,
    #[serde(with = "sort_name", default = "sort_name::first")]
    pub sort: Sort,
    pub page: PageRequest,
}

/// Statistics of the approvals that the caller may see.
#[derive(Clone, Serialize, Deserialize)]
pub struct ApprovalStats {
    pub caller: Caller,
    /// Only requests of this user.
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Counts of approvals.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalCounts {
    pub pending: i64,
    pub approved: i64,
    pub rejected: i64,
    pub cancelled: i64,
    /// By currency, in its minor unit; a sum beyond the range of `i64` is cut to its greatest value.
    pub approved_amount: BTreeMap<String, i64>,
}
