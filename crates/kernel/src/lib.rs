//! The words that every other part of Kizuna speaks: who calls, what an error is, what an event is, what time it is.
//!
//! No actor, no SQL and no HTTP: whatever stands here can be used by a pure rule.
//!
//! - [`ids`], [`clock`], [`locale`], [`whole_number`], [`service_id`]: values
//! - [`error`]: the error that every part answers with, by a stable code
//! - [`caller`], [`context`]: who asks, and what travels with a command
//! - [`event`], [`cloud_event`]: the envelope of every event, inside and outside
//! - [`page`]: keyset pages of lists
//! - [`validation`], [`patch`], [`text_schemas`]: checking request bodies, and describing them
//! - [`failpoint`]: faults that tests switch on by name

pub mod caller;
pub mod clock;
pub mod cloud_event;
pub mod context;
pub mod error;
pub mod event;
pub mod failpoint;
pub mod ids;
pub mod locale;
pub mod page;
pub mod patch;
pub mod service_id;
pub mod text_schemas;
pub mod validation;
pub mod whole_number;
