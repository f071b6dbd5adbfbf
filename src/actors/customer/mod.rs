//! customer: the customers (SPEC §1, §3; flow 2).

pub mod aggregate;
pub mod bulk;
pub mod client;
pub mod deletions;
pub mod hot;
pub mod imports;
mod matches;
mod merges;
pub mod service;
