//! What the server is sent beside records.

use kernel::ids::Id;
use serde::Serialize;

/// The body of a decision.
#[derive(Debug, Serialize)]
pub(crate) struct Comment<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
}

/// The body of a reassignment.
#[derive(Debug, Serialize)]
pub(crate) struct ApproverChange {
    pub approver_id: Id,
}
