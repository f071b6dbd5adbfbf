//! Finding records of every kind by what people remember of them.

pub mod keys;
pub mod messages;
pub mod record;
pub mod rules;
