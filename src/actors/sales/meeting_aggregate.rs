//! A meeting as an aggregate: which rules, which table.

use serde::Serialize;

use crate::persistence::meetings::MEETINGS;
use domain::meeting::record::Meeting;
use domain::meeting::rules;
use domain::meeting::rules::{MeetingCommand, MeetingEvent};
use domain::search::keys::RecordKeys;
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

    fn row(state: &Meeting) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Meeting,
            #[serde(flatten)]
            keys: RecordKeys,
        }
        let Meeting { version, title, location, notes, outcome, .. } = state;
        let (location, notes, outcome) = (location.as_deref(), notes.as_deref(), outcome.as_deref());
        let keys = RecordKeys::of_meeting(*version, title, location, notes, outcome);
        serde_json::to_string(&Row { state, keys }).expect("states are plain structs")
    }
}
