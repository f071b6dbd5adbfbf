//! The simulated Redis: the commands that nodes use, and a way to it for each node.
//!
//! - [`server`]: the keys; `commands`: what a command does; [`way`]: delays, losses and doubled messages

mod commands;
pub mod server;
pub mod way;
