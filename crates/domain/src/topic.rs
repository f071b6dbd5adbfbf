//! The parts of the event log that a client of the live feed may follow.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A part of the event log that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    Customers,
    Meetings,
    Tasks,
    Approvals,
    Deals,
    Comments,
    Attachments,
    Sagas,
}

impl Topic {
    pub const ALL: [Self; 8] = [
        Self::Customers,
        Self::Meetings,
        Self::Tasks,
        Self::Approvals,
        Self::Deals,
        Self::Comments,
        Self::Attachments,
        Self::Sagas,
    ];

    /// Its name in the messages of clients.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Meetings => "meetings",
            Self::Tasks => "tasks",
            Self::Approvals => "approvals",
            Self::Deals => "deals",
            Self::Comments => "comments",
            Self::Attachments => "attachments",
            Self::Sagas => "sagas",
        }
    }
}
