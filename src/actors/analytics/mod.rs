//! analytics: what the others' events add up to: daily metrics, timelines, notifications, the sales summary (SPEC §5).

pub mod activity;
pub mod aggregate;
pub mod departures;
pub mod domain;
pub mod events;
pub mod messages;
pub mod metrics;
pub mod notifications;
pub mod people;
pub mod reading;
pub mod recipients;
pub mod service;
pub mod summary;
