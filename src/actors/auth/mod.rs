//! auth: users, sessions and tokens (SPEC §1, §3).

pub mod aggregate;
pub mod client;
pub mod password;
pub mod recent_answers;
pub mod service;
pub mod throttle;
pub mod token;
