//! A customer's deletion (SPEC §5, flow 8): records that refer to the customer are deleted, cancelled, lost or archived.
//! Pure.

use crate::events::{
    APPROVALS_CANCELLED, DEALS_CLOSED, MEETINGS_DELETED, NOTIFICATIONS_ARCHIVED, TASKS_DELETED,
};
use crate::saga::record::Counted;
use crate::saga::step_plan::StepPlan;
use crate::service_name::ServiceName;

/// The steps of the saga.
pub const STEPS: &[StepPlan] = &[
    StepPlan {
        service: ServiceName::Sales,
        name: "delete_meetings",
        closed_by: MEETINGS_DELETED,
        counts: Counted::Meetings,
    },
    StepPlan {
        service: ServiceName::Sales,
        name: "delete_tasks",
        closed_by: TASKS_DELETED,
        counts: Counted::Tasks,
    },
    StepPlan {
        service: ServiceName::Opportunity,
        name: "cancel_approvals",
        closed_by: APPROVALS_CANCELLED,
        counts: Counted::Approvals,
    },
    StepPlan {
        service: ServiceName::Analytics,
        name: "archive_notifications",
        closed_by: NOTIFICATIONS_ARCHIVED,
        counts: Counted::Notifications,
    },
    // At the end: a saga that was started before there were deals has the steps before it in these places.
    StepPlan {
        service: ServiceName::Opportunity,
        name: "close_deals",
        closed_by: DEALS_CLOSED,
        counts: Counted::Deals,
    },
];
