//! What pages are made of.

pub mod actor_groups;
pub mod agent;
pub mod assets;
pub mod attachments;
pub mod avatar;
pub mod cell;
pub mod changes;
pub mod chart;
pub mod chips;
pub mod choice;
pub mod choices;
pub mod comments;
pub mod field;
pub mod form;
pub mod form_data;
pub mod frame;
pub mod icon;
pub mod list_file;
pub mod listing;
pub mod lookups;
pub mod merge;
pub mod once;
pub mod places;
pub mod record_pages;
pub mod record_view;
pub mod resume;
pub mod return_to;
pub mod saved_views;
pub mod search;
pub mod session;
pub mod session_user;
pub mod shared_pages;
pub mod timeline;
pub mod typed;

#[cfg(test)]
mod texts;
