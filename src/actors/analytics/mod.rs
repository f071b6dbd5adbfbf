//! analytics: daily metrics, timelines, notifications and the sales summary, made from the other services' events
//! (SPEC §5).

pub mod activity;
pub mod aggregate;
pub mod client;
pub mod dealt_with;
pub mod deletions;
pub mod metrics;
pub mod news;
pub mod notifications;
pub mod read_all;
pub mod service;
pub mod summary;
pub mod view;
