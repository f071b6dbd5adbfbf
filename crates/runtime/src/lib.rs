//! Supervised actors, one writer per aggregate, a journal that commits in groups, and consumers that apply each event
//! exactly once: on one node or many. This crate names no service and no record; `README.md` shows how an application
//! is built on it.
//!
//! - [`arbiters`]: the threads; [`supervisor`]: restarts long-lived actors; [`stats`]: their figures
//! - [`progress`]: the work that an actor has under way, by which its supervisor finds a stuck one
//! - [`service`]: the actor in front of a service's logic, on this node or another
//! - [`entity`], `child`: one actor per aggregate, found by id; `state_cache`, [`hot_state`]: its state for readers
//! - [`journal`]: the only writer of a node; [`registry`]: delivers committed events to subscribers
//! - [`consumer`]: applies the log's events in order, each once; [`positions`]: the position of a reader in the log
//! - [`breaker`], [`retry`]: calls between services
//! - [`schedule`], [`scheduler`]: jobs at fixed times, once on any number of nodes; [`janitor`]: bounds memory and
//!   tables; [`folder`]: adds up in batches what transactions append
//! - [`trace`]: the span and the request of the current work, for the log
//! - [`cluster`], [`remote`]: the other nodes: which are alive, which partitions they work on, and calls to their
//!   services

pub mod arbiters;
pub mod breaker;
mod child;
pub mod cluster;
pub mod consumer;
pub mod entity;
pub mod folder;
pub mod hot_state;
pub mod janitor;
pub mod journal;
pub mod log_order;
pub mod positions;
pub mod prepared;
pub mod progress;
pub mod registry;
pub mod remote;
pub mod retry;
pub mod sampling;
pub mod schedule;
pub mod scheduler;
pub mod service;
pub mod spans;
mod state_cache;
pub mod stats;
pub mod supervisor;
pub mod trace;

#[doc(hidden)]
pub use futures_util::future::LocalBoxFuture;
#[doc(hidden)]
pub use kernel;
