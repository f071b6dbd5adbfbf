//! The machinery under the services; it knows none of them.
//!
//! - `arbiters`: the threads; `supervisor`: long-lived actors and the factory each is made anew by; `stats`: what they show
//! - `service`: the actor before a service's desk
//! - `entity`, `child`: one actor per aggregate, found by id
//! - `journal`: the one writer, group commit; `registry`: who hears of a commit
//! - `feed`, `parking`: consumers of the log, exactly once and in order; `positions`: how far one has come
//! - `schedule`, `scheduler`: jobs at fixed times, once on any number of nodes
//! - `cluster`: the other nodes: who lives, who works on what, what they committed
//! - `breaker`, `call`, `backoff`: calls between services

pub mod arbiters;
pub mod backoff;
pub mod breaker;
pub mod call;
pub mod child;
pub mod cluster;
pub mod entity;
pub mod feed;
pub mod janitor;
pub mod journal;
pub mod parking;
pub mod positions;
pub mod registry;
pub mod schedule;
pub mod scheduler;
pub mod service;
pub mod stats;
pub mod supervisor;
