//! sales: meetings with customers, and tasks (SPEC §1, §3; flows 3 and 5).

pub mod bulk;
pub mod client;
pub mod deletions;
pub mod due_alerts;
pub mod imports;
pub mod meeting_aggregate;
pub mod service;
pub mod task_aggregate;
pub mod task_service;
