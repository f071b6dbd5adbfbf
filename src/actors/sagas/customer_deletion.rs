//! A customer's deletion (SPEC §5, flow 8): what refers to the customer goes with it. Pure.

use super::domain::{Counted, StepPlan};
use crate::actors::catalogue::{
    APPROVALS_CANCELLED, MEETINGS_DELETED, NOTIFICATIONS_ARCHIVED, TASKS_DELETED,
};

/// What is done, by whom.
pub const STEPS: &[StepPlan] = &[
    StepPlan {
        service: "sales",
        name: "delete_meetings",
        closed_by: MEETINGS_DELETED,
        counts: Counted::Meetings,
    },
    StepPlan { service: "sales", name: "delete_tasks", closed_by: TASKS_DELETED, counts: Counted::Tasks },
    StepPlan {
        service: "opportunity",
        name: "cancel_approvals",
        closed_by: APPROVALS_CANCELLED,
        counts: Counted::Approvals,
    },
    StepPlan {
        service: "analytics",
        name: "archive_notifications",
        closed_by: NOTIFICATIONS_ARCHIVED,
        counts: Counted::Notifications,
    },
];
