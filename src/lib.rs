//! Kizuna: a sales-support backend in one binary.
//!
//! - [`actors`]: the services; `actors::runtime` is the machinery under them
//! - [`persistence`]: SQL, for SQLite and PostgreSQL
//! - [`http`]: the gateway
//! - [`startup`], [`services`]: the only places that wire these together; [`bootstrap`]: the first start
//! - [`config`], [`cli`]: settings and commands; [`demo`]: sample data
//! - [`projections`]: folding them again from the log
//! - [`clock`], [`ids`], [`i18n`], [`formats`], [`telemetry`], [`failpoint`]: small things everybody uses
//!
//! `ARCHITECTURE.md` walks a request through all of it.

pub mod actors;
pub mod bootstrap;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod failpoint;
pub mod formats;
pub mod http;
pub mod i18n;
pub mod ids;
pub mod persistence;
pub mod projections;
pub mod services;
pub mod startup;
pub mod telemetry;
