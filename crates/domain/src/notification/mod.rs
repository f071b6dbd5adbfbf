//! Notifications, and who receives them.

pub mod kinds;
pub mod messages;
pub mod recipients;
pub mod record;
pub mod rules;
pub mod user_directory;
