//! Sessions: signing in, and how long a sign-in is valid.

pub mod record;
pub mod rules;
#[cfg(test)]
mod tests;
