//! A customer's merge into another one (SPEC §3): the records that refer to it go over to the other one. Pure.

use crate::events::{APPROVALS_MOVED, DEALS_MOVED, MEETINGS_MOVED, NOTIFICATIONS_MOVED, TASKS_MOVED};
use crate::saga::record::Counted;
use crate::saga::step_plan::StepPlan;
use crate::service_name::ServiceName;

/// The steps of the saga.
pub const STEPS: &[StepPlan] = &[
    StepPlan {
        service: ServiceName::Sales,
        name: "move_meetings",
        closed_by: MEETINGS_MOVED,
        counts: Counted::Meetings,
    },
    StepPlan {
        service: ServiceName::Sales,
        name: "move_tasks",
        closed_by: TASKS_MOVED,
        counts: Counted::Tasks,
    },
    StepPlan {
        service: ServiceName::Opportunity,
        name: "move_approvals",
        closed_by: APPROVALS_MOVED,
        counts: Counted::Approvals,
    },
    StepPlan {
        service: ServiceName::Opportunity,
        name: "move_deals",
        closed_by: DEALS_MOVED,
        counts: Counted::Deals,
    },
    StepPlan {
        service: ServiceName::Analytics,
        name: "move_notifications",
        closed_by: NOTIFICATIONS_MOVED,
        counts: Counted::Notifications,
    },
];
