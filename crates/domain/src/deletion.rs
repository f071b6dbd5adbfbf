//! A user or customer that was deleted, as each service remembers it (SPEC §5, flows 7 and 8).

use serde::{Deserialize, Serialize};

use kernel::ids::Id;

/// A deleted user or customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub id: Id,
    pub version: i64,
    /// The user who takes over a deleted user's records; a customer has no successor.
    pub successor_id: Option<Id>,
    /// The user who decides the approvals that waited for a deleted user.
    pub approver_id: Option<Id>,
    pub saga_id: Id,
}
