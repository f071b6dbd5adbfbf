//! A deterministic simulation: small clusters in one thread, on a simulated clock, network, Redis and database. The code of
//! `crates/store` and `crates/runtime` is the real one. A seed draws a world; a plain model checks each of its steps; a seed
//! that fails is repeated exactly.
//!
//! - [`world`]: what a seed draws, and how it is carried out
//! - [`model`], [`invariants`]: what is promised
//! - [`ledger`]: the business of the world: its aggregates, consumers and service
//! - [`database`], [`sql`]: PostgreSQL's tables, locks and statements; [`redis`](mod@redis): Redis
//! - [`command`]: the command line; [`figures`]: its table of large clusters; [`mutants`]: the program without its safety parts
//! - [`process`], [`time`], [`weather`], [`chance`]: what a process can do, clocks, how bad the network is, draws

pub mod chance;
pub mod command;
pub mod database;
pub mod figures;
pub mod invariants;
pub mod ledger;
pub mod model;
pub mod mutants;
pub mod process;
pub mod redis;
pub mod sql;
pub mod time;
pub mod weather;
pub mod world;
