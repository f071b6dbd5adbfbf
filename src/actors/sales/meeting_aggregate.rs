//! A meeting as an aggregate: which rules, which table.

use crate::domain::meeting::record::Meeting;
use crate::domain::meeting::rules as domain;
use crate::domain::meeting::rules::{MeetingCommand, MeetingEvent};
use crate::persistence::meetings::MEETINGS;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use runtime::entity::Aggregate;
use store::table::Table;

/// A meeting.
pub struct MeetingAggregate;

impl Aggregate for MeetingAggregate {
    const KIND: &'static str = "sales.meeting";
    type State = Meeting;
    type Command = MeetingCommand;
    type Event = MeetingEvent;

    const TABLE: &'static Table = &MEETINGS;

    fn decide(
        state: Option<&Meeting>,
        command: &MeetingCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<MeetingEvent>, Error> {
        domain::decide(state, command, caller, id, now)
    }
}
