//! The messages of the sagas, which start deletions and show them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::saga::record::{Counted, Counts, SagaKind};
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// Deletes a user and starts the saga that hands over the user's records. The answer is the saga's id.
pub struct DeleteUser {
    pub id: Id,
    pub reassign_to: Option<Id>,
    pub context: Context,
}

/// Asks what the deletion of a user would touch, and who the successors would be.
pub struct PreviewUserDeletion {
    pub id: Id,
    pub reassign_to: Option<Id>,
    pub caller: Caller,
}

/// Asks what the deletion of a customer would touch.
pub struct PreviewCustomerDeletion {
    pub id: Id,
    pub caller: Caller,
}

/// What a deletion would touch, as far as the caller may see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    pub kind: SagaKind,
    pub subject_id: Id,
    /// Who would receive customers, meetings and the approvals that the user requested.
    #[schema(required)]
    pub successor_id: Option<Id>,
    /// Who would receive the approvals that wait for the user; null: every MANAGER may decide them.
    #[schema(required)]
    pub approver_id: Option<Id>,
    /// The sums over all steps.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub counts: Counts,
    pub steps: Vec<PreviewStep>,
}

/// What a step would touch.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewStep {
    #[schema(example = "customer")]
    pub service: &'static str,
    #[schema(example = "reassign_customers")]
    pub name: &'static str,
    #[schema(value_type = BTreeMap<String, i64>)]
    pub counts: Counts,
}

impl Preview {
    /// The preview of a saga of this kind with these counts.
    pub fn new(kind: SagaKind, subject_id: Id, counts: Counts) -> Self {
        let of = |counted: Counted| counts.get(&counted).copied().unwrap_or(0);
        let steps = kind.plan().iter().map(|plan| PreviewStep {
            service: plan.service.as_str(),
            name: plan.name,
            counts: Counts::from([(plan.counts, of(plan.counts))]),
        });
        Self { kind, subject_id, successor_id: None, approver_id: None, steps: steps.collect(), counts }
    }
}

/// Asks a service how many of its records that the caller may see refer to a user or customer, by kind: what its steps
/// would touch.
#[derive(Clone, Serialize, Deserialize)]
pub struct CountReferring {
    pub kind: SagaKind,
    /// The user or customer.
    pub id: Id,
    pub caller: Caller,
}

pub struct FindSaga {
    pub id: Id,
    pub caller: Caller,
}

/// The order of sagas.
pub const NEWEST_FIRST: Sort = Sort::time("-started_at", "started_at", true);

/// The sagas that the caller may see, newest first.
pub struct ListSagas {
    pub caller: Caller,
    pub page: PageRequest,
}
