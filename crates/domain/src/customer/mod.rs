//! Customers.

pub mod keys;
pub mod messages;
pub mod record;
pub mod rules;
