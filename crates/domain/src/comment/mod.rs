//! Comments on customers, meetings, tasks and approvals, with mentions of people.

pub mod mentions;
pub mod messages;
pub mod record;
pub mod rules;
