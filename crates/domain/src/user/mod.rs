//! Users.

pub mod messages;
pub mod passwords;
pub mod record;
pub mod rules;
