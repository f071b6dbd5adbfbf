//! The REST API (SPEC §3): one file for each resource.

pub mod activities;
pub mod admin;
pub mod approvals;
pub mod attachments;
pub mod audit;
pub mod auth;
pub mod bulk;
pub mod comments;
pub mod csv_export;
pub mod customers;
pub mod deals;
pub mod imports;
pub mod meetings;
pub mod notifications;
pub mod reports;
pub mod resource;
pub mod sagas;
pub mod search;
pub mod security;
pub mod sessions;
pub mod summary;
pub mod tasks;
pub mod users;
pub mod views;
