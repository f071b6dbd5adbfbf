//! A user or customer that was deleted, as each service remembers it (SPEC §5, flows 7 and 8).

use serde::{Deserialize, Serialize};

use kernel::ids::Id;

/// A deleted user or customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub id: Id,
    pub version: i64,
    /// Who inherits from a user; nobody from a customer.
    pub successor_id: Option<Id>,
    /// Who decides in a user's place.
    pub approver_id: Option<Id>,
    pub saga_id: Id,
}
