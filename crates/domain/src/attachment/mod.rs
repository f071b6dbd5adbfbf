//! Files attached to customers, meetings, tasks and approvals.

pub mod content;
pub mod file_name;
pub mod messages;
pub mod record;
pub mod rules;
