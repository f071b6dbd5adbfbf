//! Live notifications (SPEC §6): what a signed-in user may see of the log, as it is written.
//!
//! ```text
//! registry ─ hub (one a node) ─ listener (one a user with sockets) ─ outbox (one a socket) ─ subscription
//!              │ a gap: the log                                        bounded                 │ behind: the log
//! ```
//!
//! - `topics`, `cursor`, `frames`: pure; `delivery` puts them together
//! - `hub`, `listener`: who hears of an event; `outbox`: what waits for a socket
//! - `subscription`: one socket's feed, from its cursor on; `client`: how the gateway gets one
//!
//! Whoever can't be served without a gap (a slow socket, a listener that died, a hub that started anew) is
//! ended and comes back with its cursor: there is one way to recover, and the log is it.

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
