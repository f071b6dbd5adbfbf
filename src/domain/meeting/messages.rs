//! The messages of the sales service about meetings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Line, Notes, Title};
use kernel::whole_number::Whole;

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

#[derive(Clone, Serialize, Deserialize)]
pub struct CreateMeeting {
    pub meeting: NewMeeting,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeMeeting {
    pub id: Id,
    pub changes: MeetingChanges,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteMeeting {
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindMeeting {
    pub id: Id,
    pub caller: Caller,
}

/// The filter of a list of meetings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MeetingFilter {
    pub customer_id: Option<Id>,
    pub owner_id: Option<Id>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// The order of meetings: the latest first.
pub const LATEST_FIRST: Sort = Sort::time("-met_at", "met_at", true);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListMeetings {
    pub caller: Caller,
    pub filter: MeetingFilter,
    pub page: PageRequest,
}

/// Statistics of the meetings that the caller may see.
#[derive(Clone, Serialize, Deserialize)]
pub struct MeetingStats {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Counts of meetings.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingCounts {
    pub total: i64,
    pub by_owner: BTreeMap<Id, i64>,
}
