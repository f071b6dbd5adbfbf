//! SQL lives here and nowhere else. No decision is taken here.
//!
//! - `table`, `sql`: one description of a table and of a statement for both dialects
//! - `connect`, `readers`, `db`: the two databases behind one surface
//! - `unit`, `journal`: what is committed together, and how a group of it is
//! - `log`, `cursors`, `idempotency`: the event log and what stands beside it; `schedules`: what ran last
//! - `nodes`: the leases of a cluster's nodes; `redis`, `streams`: its keys, connections and entries; `hot`: keys that hold a value for a second
//! - `login_buckets`: how many sign-ins failed of late
//! - `operations`: what is asked of these to see whether all is well
//! - `paging`: the keyset query of every list; `projections`: what is thrown away to be folded again
//! - one file a service: its tables and queries

pub mod analytics;
pub mod approvals;
pub mod auth;
mod connect;
pub mod cursors;
pub mod customers;
pub mod db;
pub mod departures;
pub mod hot;
pub mod idempotency;
pub mod journal;
pub mod log;
pub mod login_buckets;
pub mod meetings;
pub mod nodes;
pub mod operations;
pub mod paging;
pub mod projections;
mod readers;
pub mod redis;
pub mod replicas;
pub mod sagas;
pub mod schedules;
pub mod sql;
pub mod streams;
pub mod table;
pub mod tasks;
pub mod unit;

pub use db::{Db, StoreError};
