//! A meeting, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Line, Notes, Title};
use kernel::whole_number::Whole;

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

/// A new meeting.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMeeting {
    pub customer_id: Id,
    #[schema(value_type = Title)]
    pub title: String,
    pub met_at: Timestamp,
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10080)]
    pub duration_minutes: Option<Whole>,
    #[schema(value_type = Option<Line>)]
    pub location: Option<String>,
    #[schema(value_type = Option<Notes>)]
    pub notes: Option<String>,
    #[schema(value_type = Option<Notes>)]
    pub outcome: Option<String>,
    /// The caller if absent; only MANAGER and ADMIN name another.
    pub owner_id: Option<Id>,
}

/// Changes of a meeting; absent fields stay as they are, null clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeetingChanges {
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub customer_id: Option<Id>,
    #[schema(value_type = Title, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub title: Option<String>,
    #[schema(value_type = Timestamp, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub met_at: Option<Timestamp>,
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 10080)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub duration_minutes: Change<Whole>,
    #[schema(value_type = Option<Line>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub location: Change<String>,
    #[schema(value_type = Option<Notes>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub notes: Change<String>,
    #[schema(value_type = Option<Notes>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub outcome: Change<String>,
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub owner_id: Option<Id>,
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
