//! Sessions: signing in, and for how long it holds.

pub mod record;
pub mod rules;
#[cfg(test)]
mod tests;
