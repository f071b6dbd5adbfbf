//! subscriptions: events for readers outside (SPEC §3): the whole log page by page, and positions that Kizuna keeps for
//! readers who share them. It is on every node, and owns the tables of subscriptions.
//!
//! - `service`: reads the log; makes and removes subscriptions; `leasing`: leases batches to readers
//! - `watch`: wakes requests that wait for events; `client`: what the gateway holds

pub mod client;
mod leasing;
mod reading;
pub mod service;
pub mod watch;
