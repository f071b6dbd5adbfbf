//! Saved views: a list's filters, order, columns and page size under a name, kept for one user.

pub mod messages;
pub mod record;
pub mod rules;
