//! Imports: each step makes and changes the records of a batch of rows. Pure.

use crate::events::{CUSTOMERS_IMPORTED, DEALS_IMPORTED, MEETINGS_IMPORTED, TASKS_IMPORTED};
use crate::saga::record::Counted;
use crate::saga::step_plan::StepPlan;
use crate::service_name::ServiceName;

/// The step that is repeated for each batch of customers.
pub const CUSTOMERS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Customer,
    name: "import_customers",
    closed_by: CUSTOMERS_IMPORTED,
    counts: Counted::Customers,
}];

pub const MEETINGS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Sales,
    name: "import_meetings",
    closed_by: MEETINGS_IMPORTED,
    counts: Counted::Meetings,
}];

pub const TASKS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Sales,
    name: "import_tasks",
    closed_by: TASKS_IMPORTED,
    counts: Counted::Tasks,
}];

pub const DEALS: &[StepPlan] = &[StepPlan {
    service: ServiceName::Opportunity,
    name: "import_deals",
    closed_by: DEALS_IMPORTED,
    counts: Counted::Deals,
}];
