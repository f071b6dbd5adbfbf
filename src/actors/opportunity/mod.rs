//! opportunity: approvals of what SALES offer their customers (SPEC §1, §3; flow 4).

pub mod aggregate;
pub mod client;
pub mod deletions;
pub mod service;
