//! Live notifications (SPEC §6): what a signed-in user may see of the log, as it is written.
//!
//! ```text
//! registry ─ hub (one per node) ─ listener (one per user) ─ outbox (one per socket) ─ subscription
//!              │ a gap: the log                              bounded                     │ behind: the log
//! ```
//!
//! - `topics`, `cursor`, `frames`: pure; `delivery` puts them together
//! - `hub`, `listener`: which users receive an event; `outbox`: what waits for a socket
//! - `subscription`: one socket's feed, from its cursor on; `client`: how the gateway gets one
//!
//! A socket that can't be served without a gap (it is slow, its listener died, the hub restarted) is closed and comes
//! back with its cursor: reading the log is the only way to recover.

pub mod client;
pub mod cursor;
mod delivery;
pub mod frames;
pub mod hub;
mod listener;
mod outbox;
pub mod subscription;
pub mod topics;

pub use outbox::Ended;
