//! Putting a node together: the only place that knows every part.
//!
//! - [`startup`]: database, actors and gateway, from start to stop; `ports`: what it listens on;
//!   [`bootstrap`]: the first start
//! - [`services`]: the services of a node, made from their parts by [`builder`], [`assembly`] and [`consumers`]
//! - [`projections`]: rebuilding them from the log; [`demo`]: sample data

pub mod assembly;
pub mod backups;
pub mod bootstrap;
pub mod builder;
pub mod consumers;
pub mod demo;
mod ports;
pub mod projections;
mod server;
pub mod services;
pub mod startup;
