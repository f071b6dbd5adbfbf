//! opportunity: approvals of what SALES offer their customers (SPEC §1, §3; flow 4).

pub mod aggregate;
pub mod client;
pub mod departures;
pub mod domain;
pub mod events;
pub mod intake;
pub mod messages;
pub mod service;
#[cfg(test)]
mod tests;
