//! Changes of many records: each step changes a batch of them. Pure.

use crate::events::{CUSTOMERS_CHANGED, DEALS_CHANGED, MEETINGS_CHANGED, TASKS_CHANGED};
use crate::saga::record::Counted;
use crate::saga::step_plan::StepPlan;
use crate::service_name::ServiceName;

/// The step that is repeated for each batch of customers.
pub const CUSTOMERS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Customer,
    name: "change_customers",
    closed_by: CUSTOMERS_CHANGED,
    counts: Counted::Customers,
}];

pub const MEETINGS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Sales,
    name: "change_meetings",
    closed_by: MEETINGS_CHANGED,
    counts: Counted::Meetings,
}];

pub const TASKS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Sales,
    name: "change_tasks",
    closed_by: TASKS_CHANGED,
    counts: Counted::Tasks,
}];

pub const DEALS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Opportunity,
    name: "change_deals",
    closed_by: DEALS_CHANGED,
    counts: Counted::Deals,
}];
