//! sales: meetings with customers (SPEC §1, §3; flow 3).

pub mod aggregate;
pub mod client;
pub mod domain;
pub mod events;
pub mod messages;
pub mod service;
