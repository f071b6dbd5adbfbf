//! auth: users, sessions and tokens (SPEC §1, §3).

pub mod aggregate;
pub mod client;
pub mod password;
pub mod rate;
pub mod recent_answers;
pub mod security;
pub mod service;
mod sessions;
mod sign_in;
pub mod throttle;
pub mod token;
pub mod turns;
pub mod views;
