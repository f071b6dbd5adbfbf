//! Checks histories: what clients asked and were answered, and when. Pure.
//!
//! - [`operation`]: an operation with the times of its call and its answer
//! - [`linear`]: whether operations can have happened one after another, each between its call and its answer
//! - [`record`]: a record with a version, as the API shows it
//! - [`log`]: whether readers of the log saw every event once and in order
//!
//! A record is independent of every other, so each has a history of its own, and the search for an order stays short
//! (P-compositionality: Herlihy and Wing 1990, Horn and Kroening 2015). The search is that of Wing and Gong (1993) with
//! Lowe's memory of what was tried (2017).

pub mod linear;
pub mod log;
pub mod operation;
pub mod record;
