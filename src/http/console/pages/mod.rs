//! The pages, each with its handlers, its rows and its form.

pub mod admin;
pub mod approvals;
pub mod attachments;
pub mod audit;
pub mod audit_event;
pub mod bulk;
pub mod choices;
pub mod comments;
pub mod customer;
pub mod customers;
pub mod home;
pub mod installed;
pub mod login;
pub mod meeting;
pub mod meetings;
pub mod notifications;
pub mod reports;
pub mod sagas;
pub mod search;
pub mod security;
pub mod settings;
pub mod shortcuts;
pub mod task;
pub mod tasks;
pub mod users;
pub mod views;
