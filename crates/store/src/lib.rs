//! Storage: units of work, the journal that commits them, and the event log, on SQLite and PostgreSQL; and Redis
//! between nodes. It knows no record of the business and takes no decision.
//!
//! - [`table`], [`sql`]: one description of a table and of a statement for both databases
//! - [`db`], [`error`]: the two databases behind one interface, `tx`: a transaction of either; `connect` opens them, `files` keeps SQLite's files
//!   private; [`server_lock`]: one server
//!   per SQLite file; `writer`, `readers`: its connections; `postgres`, `postgres_errors`, `pulse`, `session_watch`:
//!   the connections to PostgreSQL, whether it answers, and whether a slow statement is executed; `write_check`: whether writes are taken; [`settings`] says how
//! - [`unit_of_work`], [`journal`]: what is committed together, and how a group of it is
//! - [`log`], [`cursors`], [`idempotency`], [`schedules`]: the event log, and what is committed beside it
//! - [`paging`]: the keyset query of every list; [`text_search`]: the index of texts; [`plans`]: how queries are carried out
//! - [`projections`]: tables that can be rebuilt from the log
//! - [`progress`]: how far consumers are, and whether an event was lost, applied twice or out of order
//! - [`backup`]: a file with the rows of all tables, and how it is put into an empty database
//! - `simulated`: a database and a Redis in the place of the real ones, for the simulation
//! - [`encryption`]: whether the URLs of PostgreSQL and Redis ask for TLS
//! - [`vault`]: encrypts the secrets that rows hold
//! - [`leases`]: which nodes of a cluster are alive; [`redis`], [`redis_connection`], [`streams`], [`hot_values`]: messages and values they
//!   share, all of them sealed ([`seal`])

pub mod backup;
mod checkpoints;
mod connect;
pub mod cursors;
pub mod db;
pub mod encryption;
pub mod error;
mod files;
pub mod folds;
pub mod hot_values;
pub mod idempotency;
pub mod journal;
pub mod leases;
pub mod log;
mod migrations;
pub mod noting;
pub mod paging;
pub mod plans;
mod postgres;
mod postgres_errors;
pub mod progress;
pub mod projections;
mod pulse;
mod readers;
pub mod redis;
pub mod redis_connection;
pub mod schedules;
pub mod seal;
pub mod server_lock;
mod session_watch;
pub mod settings;
#[cfg(feature = "simulation")]
pub mod simulated;
pub mod sql;
pub mod streams;
pub mod table;
pub mod text_search;
mod tx;
pub mod unit_of_work;
pub mod vault;
mod write_check;
mod writer;

pub use db::Db;
pub use error::StoreError;
