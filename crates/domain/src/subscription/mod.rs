//! A subscription: a position in the event log that Kizuna keeps for readers outside, who share it.

pub mod leases;
pub mod messages;
pub mod record;
pub mod rules;
