//! API keys, by which programs act for a user: the key, its rules and messages, and which scopes each message and event
//! needs.

pub mod event_scopes;
pub mod messages;
pub mod needs;
pub mod record;
pub mod rules;
