//! Customers.

pub mod keys;
pub mod matching;
pub mod merge;
pub mod messages;
pub mod record;
pub mod rules;
