//! operations: what the node shows of itself, dead letters and their redrive, the integrity of all effects
//! (SPEC §7, §8). It is no service of the business: it owns no table.

pub mod dead_letters;
pub mod messages;
pub mod service;
