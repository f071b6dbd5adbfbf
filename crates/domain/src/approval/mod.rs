//! Approval requests, and who may decide them.

pub mod messages;
pub mod record;
pub mod rules;
#[cfg(test)]
mod tests;
pub mod validation;
