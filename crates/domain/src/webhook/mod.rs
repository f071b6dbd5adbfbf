//! Webhooks: addresses to which events are sent, as Standard Webhooks 1.0 says.
//!
//! - [`record`]: a webhook; [`form`]: what a client sets of it; [`wanted`]: the types of event that it wants; [`delivery`]: an event on its way to one
//! - [`address`]: which addresses are allowed; [`rules`]: what may be done with a webhook
//! - [`signature`]: secrets and signatures; [`schedule`]: what an answer means, and when the next try is
//! - [`messages`]: what the service is asked

pub mod address;
pub mod delivery;
pub mod form;
pub mod messages;
pub mod record;
pub mod rules;
pub mod schedule;
pub mod signature;
pub mod wanted;
