//! Changing many records of a list at once: what becomes of them, and how far it is.

pub mod change;
pub mod messages;
pub mod progress;
