//! operations: the state of the node, dead letters and their redrive, the integrity of all effects (SPEC §7, §8). It
//! is not one of the five services: it owns no table.

pub mod chain;
pub mod dead_letters;
pub mod history;
pub mod messages;
pub mod problems;
pub mod readiness;
pub mod sampler;
pub mod service;
