//! Figures and history.

pub mod messages;
