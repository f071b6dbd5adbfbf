//! auth: users, sessions and tokens (SPEC §1, §3).

pub mod aggregate;
pub mod api_keys;
pub mod client;
pub mod key_uses;
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
