//! The REST API, as its callers see it: a module a route, and one for each promise that all routes make.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod admin;
mod approvals;
mod audit;
mod auth;
mod burst;
mod console;
mod console_session;
mod conventions;
mod customers;
mod decisions;
mod drain;
mod due;
mod export;
mod fallback;
mod flows;
mod idempotency;
mod meetings;
mod nodes;
mod notifications;
mod openapi;
mod operations;
mod paging;
mod reading;
mod reports;
mod sagas;
mod search;
mod sessions;
mod summary;
mod tasks;
mod throttle;
mod tokens;
mod users;
mod visibility;
mod wrong;
