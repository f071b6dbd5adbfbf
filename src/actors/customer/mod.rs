//! customer: who is sold to (SPEC §1, §3; flow 2).

pub mod aggregate;
pub mod client;
pub mod departures;
pub mod domain;
pub mod events;
pub mod hot;
pub mod messages;
pub mod service;
