//! Sagas: the deletion, merge or restoration of a user or a customer, step by step through all services; the change of many
//! records, batch by batch.

pub mod bulk;
pub mod customer_deletion;
pub mod imports;
pub mod merge;
pub mod messages;
pub mod plan;
pub mod record;
pub mod restoration;
pub mod rules;
pub mod step_plan;
pub mod user_deletion;
