//! sagas: deletions that several services carry out, each by itself (SPEC §5, flows 7 and 8).
//!
//! A deletion commits its saga with it. The services hear of the deletion, do their step and close it with an
//! event; [`progress`] folds those into the saga. Nothing waits in memory: whatever dies, the log goes on.
//!
//! - `user_deletion`, `customer_deletion`: the steps, and who inherits
//! - `domain`: the state machine, pure; `progress`: the consumer that advances it
//! - `service`: settles heirs, previews, shows sagas

pub mod customer_deletion;
pub mod domain;
pub mod events;
pub mod messages;
pub mod progress;
pub mod service;
pub mod user_deletion;
