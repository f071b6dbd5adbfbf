//! A world: nodes, clients and faults on a paused clock, in one thread.
//!
//! - [`plan`]: what a seed draws; [`run`](mod@run): carries it out; [`shrink`](mod@shrink): makes it smaller
//! - `node`: a process with the real actors; `client`: what clients ask; `faults`: what goes wrong
//! - [`large`]: a cluster of many nodes, for its figures
//! - `readers`: subscribers of a node that read the log live; `breaker_walk`: a breaker by itself

mod breaker_walk;
mod client;
mod faults;
pub mod large;
mod node;
pub mod plan;
mod readers;
pub mod run;
pub mod shrink;
