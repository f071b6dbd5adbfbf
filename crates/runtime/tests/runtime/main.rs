//! The runtime by itself, on SQLite: no service of Kizuna's takes part.

mod breaker;
mod breaker_machine;
mod node;
mod service;
mod stuck;
