//! Customers.

pub mod messages;
pub mod record;
pub mod rules;
