//! What a step of a kind of saga is.

use kernel::event::EventType;

use crate::saga::record::Counted;
use crate::service_name::ServiceName;

/// A step of a kind of saga.
#[derive(Debug)]
pub struct StepPlan {
    pub service: ServiceName,
    pub name: &'static str,
    /// The type of the event that closes it.
    pub closed_by: EventType,
    pub counts: Counted,
}
