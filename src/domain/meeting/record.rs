//! A meeting, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// A meeting with a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Meeting {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub customer_id: Id,
    pub title: String,
    pub met_at: Timestamp,
    #[schema(required)]
    pub duration_minutes: Option<i64>,
    #[schema(required)]
    pub location: Option<String>,
    #[schema(required)]
    pub notes: Option<String>,
    #[schema(required)]
    pub outcome: Option<String>,
    pub owner_id: Id,
    /// When it was deleted. Only events have it: the API shows no deleted meetings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
}

/// `meeting.created`, `meeting.updated`, `meeting.deleted`: the meeting after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MeetingPayload {
    pub meeting: Meeting,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The owner before, if the owner changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner_id: Option<Id>,
}

impl Versioned for Meeting {
    fn version(&self) -> i64 {
        self.version
    }
}
