//! A meeting as an aggregate: which rules, which table.

use super::domain::{self, Meeting, MeetingCommand, MeetingEvent};
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Aggregate;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::meetings::MEETINGS;
use crate::persistence::table::Table;

/// A meeting.
pub struct MeetingAggregate;

impl Aggregate for MeetingAggregate {
    const KIND: &'static str = "sales.meeting";
    type State = Meeting;
    type Command = MeetingCommand;
    type Event = MeetingEvent;

    fn table() -> &'static Table {
        &MEETINGS
    }

    fn version(state: &Meeting) -> i64 {
        state.version
    }

    fn decide(
        state: Option<&Meeting>,
        command: &MeetingCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<MeetingEvent>, Refusal> {
        domain::decide(state, command, caller, id, now)
    }

    fn apply(_: Option<Meeting>, event: &MeetingEvent) -> Meeting {
        match event {
            MeetingEvent::Created(after)
            | MeetingEvent::Updated { after, .. }
            | MeetingEvent::Deleted(after) => after.clone(),
        }
    }
}
