//! The security log: sign-ins, refusals, and the ends of sessions.

pub mod messages;
pub mod record;
