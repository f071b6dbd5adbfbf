//! auth: users, sessions, tokens (SPEC §1, §3).

pub mod aggregate;
pub mod client;
pub mod domain;
pub mod events;
pub mod messages;
pub mod password;
mod recent;
pub mod service;
#[cfg(test)]
mod tests;
pub mod throttle;
pub mod token;
