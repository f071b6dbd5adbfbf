//! The payloads of the sales service's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::domain::{Meeting, MeetingEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

/// `meeting.created`, `meeting.updated`, `meeting.deleted`: the meeting after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MeetingPayload {
    pub meeting: Meeting,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Who had it before, where the owner changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner_id: Option<Id>,
}

impl DomainEvent for MeetingEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::MEETING_CREATED,
            Self::Updated { .. } => catalogue::MEETING_UPDATED,
            Self::Deleted(_) => catalogue::MEETING_DELETED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (meeting, changed, previous_owner_id): (_, &[&str], _) = match self {
            Self::Created(after) | Self::Deleted(after) => (after, &[], None),
            Self::Updated { after, changed, previous_owner_id } => (after, changed, *previous_owner_id),
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&MeetingPayload { meeting: meeting.clone(), changed, previous_owner_id })
    }
}
