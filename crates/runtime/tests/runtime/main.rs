//! The runtime by itself, on SQLite: no service of Kizuna's takes part.

mod node;
mod service;
mod stuck;
