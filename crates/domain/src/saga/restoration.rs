//! The undo of a deletion or a merge (SPEC §3): the records that it changed become what they were. Pure.

use crate::events::{
    APPROVALS_RESTORED, CUSTOMERS_RESTORED, DEALS_RESTORED, MEETINGS_RESTORED, NOTIFICATIONS_RESTORED,
    TASKS_RESTORED,
};
use crate::saga::record::Counted;
use crate::saga::step_plan::StepPlan;
use crate::service_name::ServiceName;

const CUSTOMERS: StepPlan = StepPlan {
    service: ServiceName::Customer,
    name: "restore_customers",
    closed_by: CUSTOMERS_RESTORED,
    counts: Counted::Customers,
};
const MEETINGS: StepPlan = StepPlan {
    service: ServiceName::Sales,
    name: "restore_meetings",
    closed_by: MEETINGS_RESTORED,
    counts: Counted::Meetings,
};
const TASKS: StepPlan = StepPlan {
    service: ServiceName::Sales,
    name: "restore_tasks",
    closed_by: TASKS_RESTORED,
    counts: Counted::Tasks,
};
const APPROVALS: StepPlan = StepPlan {
    service: ServiceName::Opportunity,
    name: "restore_approvals",
    closed_by: APPROVALS_RESTORED,
    counts: Counted::Approvals,
};
const DEALS: StepPlan = StepPlan {
    service: ServiceName::Opportunity,
    name: "restore_deals",
    closed_by: DEALS_RESTORED,
    counts: Counted::Deals,
};
const NOTIFICATIONS: StepPlan = StepPlan {
    service: ServiceName::Analytics,
    name: "restore_notifications",
    closed_by: NOTIFICATIONS_RESTORED,
    counts: Counted::Notifications,
};

/// The steps after a customer is back. The first one concerns the customer into which it had gone.
pub const OF_CUSTOMER: &[StepPlan] = &[CUSTOMERS, MEETINGS, TASKS, APPROVALS, DEALS, NOTIFICATIONS];
/// The steps after a user is back.
pub const OF_USER: &[StepPlan] = &[CUSTOMERS, MEETINGS, TASKS, APPROVALS, DEALS];
