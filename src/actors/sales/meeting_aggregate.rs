//! A meeting as an aggregate: which rules, which table.

use serde::Serialize;

use crate::actors::comments::{Annotated, back_with, kept_with};
use crate::actors::undo::{Revert, Undo};
use crate::persistence::attachments::MEETINGS_ATTACHMENTS;
use crate::persistence::comments::MEETINGS_COMMENTS;
use crate::persistence::meetings::MEETINGS;
use domain::comment::record::AboutRecord;
use domain::meeting::record::{Meeting, MeetingPayload};
use domain::meeting::rules;
use domain::meeting::rules::{MeetingCommand, MeetingEvent};
use domain::saga::record::Counted;
use domain::search::keys::RecordKeys;
use domain::search::record::RecordType;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::EffectError;
use runtime::entity::Aggregate;
use store::table::Table;
use store::unit_of_work::Write;

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

    fn beside(event: &MeetingEvent, id: Id) -> Vec<Write> {
        match event {
            MeetingEvent::Deleted(after) => kept_with::<Self>(id, after.updated_at),
            MeetingEvent::Restored(_) => back_with(id),
            _ => Vec::new(),
        }
    }
}

impl Annotated for MeetingAggregate {
    const COMMENT_KIND: &'static str = "sales.meeting_comment";
    const COMMENTS: &'static Table = &MEETINGS_COMMENTS;
    const ATTACHMENT_KIND: &'static str = "sales.meeting_attachment";
    const ATTACHMENTS: &'static Table = &MEETINGS_ATTACHMENTS;

    fn visible<'a>(state: Option<&'a Meeting>, caller: &Caller) -> Result<&'a Meeting, Error> {
        rules::visible(state, caller)
    }

    fn about(meeting: &Meeting) -> AboutRecord {
        AboutRecord {
            r#type: RecordType::Meeting,
            id: meeting.id,
            title: meeting.title.clone(),
            owner_id: meeting.owner_id,
            customer_id: Some(meeting.customer_id),
            merged: Vec::new(),
        }
    }
}

impl Revert for MeetingAggregate {
    const COUNTED: Counted = Counted::Meetings;

    fn of_event(event: &LoggedEvent) -> Result<Meeting, EffectError> {
        Ok(event.payload::<MeetingPayload>()?.meeting)
    }

    fn revert(to: Option<Meeting>, _: Undo) -> MeetingCommand {
        MeetingCommand::Revert { to: to.map(Box::new) }
    }
}
