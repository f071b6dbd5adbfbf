//! The payloads of the opportunity service's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::domain::{Approval, ApprovalEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

/// `approval.requested`, `approval.approved`, `approval.rejected`, `approval.cancelled`,
/// `approval.reassigned`: the approval after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApprovalPayload {
    pub approval: Approval,
    /// Names of the changed fields, where it was reassigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Whom it waited for before, if for somebody, where the approver changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_approver_id: Option<Id>,
    /// Whose request it was before, where the requester changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_requester_id: Option<Id>,
}

impl DomainEvent for ApprovalEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Requested(_) => catalogue::APPROVAL_REQUESTED,
            Self::Approved(_) => catalogue::APPROVAL_APPROVED,
            Self::Rejected(_) => catalogue::APPROVAL_REJECTED,
            Self::Cancelled(_) => catalogue::APPROVAL_CANCELLED,
            Self::Reassigned { .. } => catalogue::APPROVAL_REASSIGNED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let mut payload = ApprovalPayload {
            approval: self.after().clone(),
            changed: Vec::new(),
            previous_approver_id: None,
            previous_requester_id: None,
        };
        if let Self::Reassigned { changed, previous_approver_id, previous_requester_id, .. } = self {
            payload.changed = changed.iter().map(|name| (*name).to_owned()).collect();
            payload.previous_approver_id = *previous_approver_id;
            payload.previous_requester_id = *previous_requester_id;
        }
        raw(&payload)
    }
}
