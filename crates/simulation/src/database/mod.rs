//! The simulated database: PostgreSQL's tables in memory, with its locks of rows and its isolation (READ COMMITTED), and a
//! way to it for each node.
//!
//! - [`server`]: the tables, transactions and locks; `view`: the tables as a transaction sees them
//! - [`way`]: a node's way to the server, on which statements are delayed, cut off and lost

pub mod server;
mod view;
pub mod way;
