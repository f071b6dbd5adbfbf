//! The kinds of notifications. Each is named after the type of its event.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::{
    APPROVAL_APPROVED, APPROVAL_REASSIGNED, APPROVAL_REJECTED, APPROVAL_REQUESTED, COMMENT_CREATED,
    COMMENT_UPDATED, CUSTOMER_CREATED, DEAL_CREATED, DEAL_UPDATED, TASK_DUE_SOON,
};
use kernel::event::EventType;

/// A kind of notification, which a user may switch off for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum NotificationKind {
    #[serde(rename = "customer.created")]
    CustomerCreated,
    #[serde(rename = "approval.requested")]
    ApprovalRequested,
    #[serde(rename = "approval.approved")]
    ApprovalApproved,
    #[serde(rename = "approval.rejected")]
    ApprovalRejected,
    #[serde(rename = "approval.reassigned")]
    ApprovalReassigned,
    #[serde(rename = "task.due_soon")]
    TaskDueSoon,
    /// Somebody said something about a record of the user, or mentioned the user; also where an edited comment does.
    #[serde(rename = "comment.created")]
    CommentCreated,
    /// A deal became the user's: somebody made it for the user, or gave it to the user later.
    #[serde(rename = "deal.created")]
    DealCreated,
}

impl NotificationKind {
    /// All of them, in the order in which people choose among them.
    pub const ALL: [Self; 8] = [
        Self::CustomerCreated,
        Self::DealCreated,
        Self::TaskDueSoon,
        Self::CommentCreated,
        Self::ApprovalRequested,
        Self::ApprovalReassigned,
        Self::ApprovalApproved,
        Self::ApprovalRejected,
    ];

    /// The type of the events that lead to it.
    pub const fn event_type(self) -> EventType {
        match self {
            Self::CustomerCreated => CUSTOMER_CREATED,
            Self::ApprovalRequested => APPROVAL_REQUESTED,
            Self::ApprovalApproved => APPROVAL_APPROVED,
            Self::ApprovalRejected => APPROVAL_REJECTED,
            Self::ApprovalReassigned => APPROVAL_REASSIGNED,
            Self::TaskDueSoon => TASK_DUE_SOON,
            Self::CommentCreated => COMMENT_CREATED,
            Self::DealCreated => DEAL_CREATED,
        }
    }

    /// The kind of an event's notification, if events of its type lead to any.
    pub fn of(event_type: EventType) -> Option<Self> {
        let event_type = match event_type {
            // An edited comment may mention further people, and a deal may get another owner.
            COMMENT_UPDATED => COMMENT_CREATED,
            DEAL_UPDATED => DEAL_CREATED,
            other => other,
        };
        Self::ALL.into_iter().find(|kind| kind.event_type() == event_type)
    }

    /// Its name: that of the event's type.
    pub fn name(self) -> &'static str {
        self.event_type().name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_is_that_of_its_event() {
        for kind in NotificationKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(NotificationKind::of(kind.event_type()), Some(kind));
        }
    }
}
