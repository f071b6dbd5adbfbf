//! The messages of the sales service about meetings.

use std::collections::BTreeMap;

use crate::meeting::record::{MeetingChanges, NewMeeting};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};
use serde::{Deserialize, Serialize};

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

/// The events about a meeting that the caller may see, newest first: those that the live feed would show the caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadMeetingActivity {
    pub id: Id,
    pub caller: Caller,
    pub page: PageRequest,
}

/// The filter of a list of meetings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MeetingFilter {
    /// Words of the title, location, notes or outcome, or of the customer's name (see [`Words`](kernel::search::Words)).
    #[serde(default)]
    pub q: Option<String>,
    pub customer_id: Option<Id>,
    pub owner_id: Option<Id>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// The orders that `?sort=` may name; the first is the default.
pub const SORTS: [Sort; 2] = [Sort::time("-met_at", "met_at", true), Sort::time("met_at", "met_at", false)];

kernel::sort_names!(SORTS);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListMeetings {
    pub caller: Caller,
    pub filter: MeetingFilter,
    #[serde(with = "sort_name", default = "sort_name::first")]
    pub sort: Sort,
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
