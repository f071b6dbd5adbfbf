//! Tasks with a due time.

pub mod messages;
pub mod postponed;
pub mod record;
pub mod rules;
#[cfg(test)]
mod tests;
