//! Supervised actors, one writer per aggregate, a journal that commits in groups, and consumers that apply each event
//! exactly once: on one node or many. This crate names no service and no record of the business; `README.md` shows how
//! one is built on it.
//!
//! - [`arbiters`]: the threads; [`supervisor`]: long-lived actors and how they are started again; [`stats`]: what they show
//! - [`progress`]: what an actor has under way, by which its supervisor finds one that is stuck
//! - [`service`]: the actor before a service's logic, on this node or another
//! - [`entity`], `child`: one actor per aggregate, found by id; `state_cache`, [`hot_state`]: its state for readers
//! - [`journal`]: the one writer; [`registry`]: who hears of a commit
//! - [`consumer`]: applies the log's events in order, each once; [`positions`]: how far a reader of the log has come
//! - [`breaker`], [`circuit_breaker`], [`retry`]: calls between services
//! - [`schedule`], [`scheduler`]: jobs at fixed times, once on any number of nodes; [`janitor`]: bounds what grows
//! - [`trace`]: whose work is under way, for the log
//! - [`cluster`], [`remote`]: the other nodes: who is alive, who works on what, and calls to their services

pub mod arbiters;
pub mod breaker;
mod child;
pub mod circuit_breaker;
pub mod cluster;
pub mod consumer;
pub mod entity;
pub mod hot_state;
pub mod janitor;
pub mod journal;
pub mod positions;
pub mod progress;
pub mod registry;
pub mod remote;
pub mod retry;
pub mod schedule;
pub mod scheduler;
pub mod service;
mod state_cache;
pub mod stats;
pub mod supervisor;
pub mod trace;

#[doc(hidden)]
pub use futures_util::future::LocalBoxFuture;
#[doc(hidden)]
pub use kernel;
