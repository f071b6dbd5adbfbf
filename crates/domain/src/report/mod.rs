//! Figures and history.

pub mod messages;
pub mod period;
