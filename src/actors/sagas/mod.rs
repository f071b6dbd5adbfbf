//! sagas: deletions that several services carry out, each by itself (SPEC §5, flows 7 and 8).
//!
//! A deletion and its saga are committed together ([`start`]). Each service consumes the deletion's event, carries
//! out its step and closes it with an event; [`progress`] applies those to the saga. Nothing waits in memory: after a
//! crash the consumers continue from the log. [`service`] chooses successors, previews deletions, and shows sagas; it also begins
//! the sagas that undo others.

pub mod progress;
pub mod service;
pub mod start;
mod undo;
