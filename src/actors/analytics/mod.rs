//! analytics: what the others' events add up to: daily metrics, timelines, notifications (SPEC §5).

pub mod activity;
pub mod messages;
pub mod metrics;
pub mod notifications;
pub mod recipients;
pub mod service;
pub mod view;
