//! Kizuna: a sales-support backend in one binary.
//!
//! Each layer uses those above it in this list, and none below:
//!
//! - the crates `kernel`, `store` and `runtime`: the machinery, which knows nothing of sales
//! - the crate `domain`: records, rules, messages and events; it uses `kernel` alone
//! - [`i18n`], [`formats`]: texts, amounts and times in the reader's language
//! - [`persistence`]: the records' tables and queries
//! - [`actors`]: the services
//! - [`http`]: the gateway, the console and the live feed
//! - [`config`], [`app`], [`cli`]: settings, putting a node together, commands; [`telemetry`]: logs and metrics
//!
//! `tests/layers` checks this. `ARCHITECTURE.md` walks a request through all of it.

pub mod actors;
pub mod app;
pub mod cli;
pub mod config;
pub mod formats;
pub mod http;
pub mod i18n;
pub mod persistence;
pub mod telemetry;
