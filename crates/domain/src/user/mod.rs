//! Users.

pub mod keys;
pub mod messages;
pub mod passwords;
pub mod record;
pub mod rules;
