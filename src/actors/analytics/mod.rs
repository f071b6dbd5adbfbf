//! analytics: what the others' events add up to: daily metrics, timelines, notifications, the sales summary (SPEC §5).

pub mod activity;
pub mod aggregate;
pub mod client;
pub mod deletions;
pub mod metrics;
pub mod notifications;
pub mod read_all;
pub mod service;
pub mod summary;
pub mod view;
