//! Deals: what customers may buy, and how far each is.

pub mod messages;
pub mod progress;
pub mod record;
pub mod reports;
pub mod rules;
pub mod stage;
#[cfg(test)]
mod tests;
pub mod validation;
