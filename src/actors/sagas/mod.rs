//! sagas: deletions that several services carry out, each by itself (SPEC §5, flows 7 and 8).
//!
//! A deletion commits its saga with it ([`start`]). The services hear of the deletion, do their step and close it with
//! an event; [`progress`] folds those into the saga. Nothing waits in memory: whatever dies, the log goes on.
//! [`service`] chooses successors, previews, and shows sagas.

pub mod progress;
pub mod service;
pub mod start;
