//! opportunity: deals with customers, and approval requests for offers to them (SPEC §1, §3; flow 4).

pub mod approval_aggregate;
pub mod bulk;
pub mod client;
pub mod deal_aggregate;
pub mod deal_service;
pub mod deletions;
pub mod imports;
pub mod progress;
pub mod service;
