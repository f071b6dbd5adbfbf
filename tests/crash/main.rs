//! The real binary: killed at its commit boundaries, made to panic, drained, wrongly set up, and its
//! commands.
//!
//! - `kill`: flow 2 is exactly once whatever the moment of a `kill -9`; `client`: who remembers what was
//!   acknowledged; `promises`: what the database must hold when the effects have caught up
//! - `panics`: every actor dies once, and nobody but its caller notices; `request_kind`: the requests that it answers
//! - `dead_letters`: a consumer fails for good, and is helped; `projections`: they are folded again
//! - `logs`: what the log says of a request that fails or is refused
//! - `summary`: flow 6 while a service hangs; `outage`: every kind of request while PostgreSQL is away
//! - `drain`, `settings`, `commands`, `first_start`: how the process starts and ends

mod client;
mod commands;
mod dead_letters;
mod drain;
mod first_start;
mod fixture;
mod kill;
mod logs;
mod outage;
mod panics;
mod projections;
mod request_kind;
mod sagas;
mod settings;
mod summary;
