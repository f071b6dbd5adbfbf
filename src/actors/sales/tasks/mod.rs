//! Tasks: things to do by a time, and the alert before it (SPEC §1, §3; flow 5).

pub mod aggregate;
pub mod alerts;
pub mod domain;
pub mod events;
pub mod messages;
pub mod service;

#[cfg(test)]
mod tests;
