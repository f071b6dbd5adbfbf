//! The business of the simulated world: accounts, transfers between them (a saga of two steps), and notes.
//!
//! - [`account`], [`transfer`], [`note`]: aggregates with pure rules
//! - [`consumers`]: what follows from events; [`service`]: the messages of clients
//! - [`tables`]: what is stored

pub mod account;
pub mod consumers;
pub mod note;
pub mod service;
pub mod tables;
pub mod transfer;

use kernel::event::EventType;
use serde::{Deserialize, Serialize};

const fn event(name: &'static str) -> EventType {
    EventType::new(name, "/services/ledger")
}

pub const OPENED: EventType = event("account.opened");
pub const ADDED: EventType = event("account.added");
pub const TAKEN: EventType = event("account.taken");
pub const REFUSED: EventType = event("account.refused");
pub const GIVEN: EventType = event("account.given");
pub const BEGUN: EventType = event("transfer.begun");
pub const ENDED: EventType = event("transfer.ended");
pub const WRITTEN: EventType = event("note.written");
pub const ERASED: EventType = event("note.erased");

/// All of them.
pub const EVENTS: [EventType; 9] = [OPENED, ADDED, TAKEN, REFUSED, GIVEN, BEGUN, ENDED, WRITTEN, ERASED];

/// What a client sees of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub version: i64,
    pub text: String,
    pub is_deleted: bool,
}
