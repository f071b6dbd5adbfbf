//! The real binary: killed at its commit boundaries, made to panic, drained, started with bad settings; and its
//! commands.
//!
//! - `kill`: flow 2 is exactly once, whatever the moment of a `kill -9`; `client`: a client that records what was
//!   acknowledged
//! - `panics`: every actor dies once, and only its caller notices; `request_kind`: the requests that are sent meanwhile
//! - `backup`: a backup beside a server, and its restore
//! - `bulk`: a change of many records, killed at every boundary
//! - `dead_letters`: a consumer fails until a redrive; `projections`: they are rebuilt
//! - `latecomers`: an event that a consumer sees after its record has gone elsewhere
//! - `logs`: the log of requests that fail or are refused
//! - `traces`: the spans that a receiver of traces gets
//! - `summary`: flow 6 while a service hangs; `outage`, `routes`: every kind of request, and every route, while PostgreSQL is
//!   away; `faults`: while it or the disk takes no writes
//! - `subscribers`: readers of events outside, and their server, killed again and again; `events_tail`: the command that reads
//!   a server's log
//! - `webhooks`: each event is delivered, whatever the moments of a `kill -9`
//! - `deployment`: what `deploy/` sets
//! - `drain`, `settings`, `commands`, `first_start`, `one_server`: how the process starts and ends; `fixture`: the
//!   common setup

mod backup;
mod breaker;
mod bulk;
mod client;
mod commands;
mod dead_letters;
mod deployment;
mod drain;
mod events_tail;
mod faults;
mod first_start;
mod fixture;
mod imports;
mod kill;
mod latecomers;
mod logs;
mod one_server;
mod outage;
mod overload;
mod panics;
mod projections;
mod request_kind;
mod routes;
mod sagas;
mod search;
mod settings;
mod subscribers;
mod summary;
mod traces;
mod undo;
mod webhooks;
