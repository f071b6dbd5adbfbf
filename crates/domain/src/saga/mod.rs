//! Sagas: the deletion of a user or a customer, step by step through all services.

pub mod customer_deletion;
pub mod messages;
pub mod plan;
pub mod record;
pub mod rules;
pub mod user_deletion;
