//! A meeting as an aggregate: which rules, which table.

use crate::persistence::meetings::MEETINGS;
use domain::meeting::record::Meeting;
use domain::meeting::rules;
use domain::meeting::rules::{MeetingCommand, MeetingEvent};
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
        rules::decide(state, command, caller, id, now)
    }
}
