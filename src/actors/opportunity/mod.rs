//! opportunity: approval requests for offers to customers (SPEC §1, §3; flow 4).

pub mod aggregate;
pub mod client;
pub mod deletions;
pub mod service;
