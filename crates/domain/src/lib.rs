//! The business: records, rules, messages and events. Pure: no actor, no SQL, no HTTP, no clock.
//!
//! Each folder is a kind of record: `record` defines it and the payload of its events; `rules` decides what may
//! happen to it; `messages` are the messages that its service takes.
//!
//! - [`events`]: the catalogue, one row for each type of event; [`audience`]: who may see an event; [`topic`];
//!   [`activity`]: the order of a record's events; [`changes`]: what an event changed; [`chain`]: what made an event
//! - [`undo`]: taking back what a saga did
//! - [`service_name`]: the five services; [`deletion`]: what every service remembers of a deleted user or customer

pub mod activity;
pub mod api_key;
pub mod approval;
pub mod attachment;
pub mod audience;
pub mod bulk;
pub mod chain;
pub mod changes;
pub mod comment;
pub mod customer;
pub mod deal;
pub mod deletion;
pub mod events;
pub mod import;
pub mod lists;
pub mod meeting;
pub mod money;
pub mod notification;
pub mod report;
pub mod saga;
pub mod saved_view;
pub mod search;
pub mod security;
pub mod service_name;
pub mod session;
pub mod subscription;
pub mod task;
pub mod topic;
pub mod undo;
pub mod user;
pub mod webhook;
