//! The rules of meetings. Pure.

use crate::domain::events as catalogue;
use crate::domain::meeting::record::{Meeting, MeetingPayload};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;

use crate::domain::meeting::messages::{MeetingChanges, NewMeeting};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::validation::{Validator, set};
use kernel::whole_number::Whole;

const TITLE_MAX: usize = 200;
const TEXT_MAX: usize = 10_000;
/// In minutes: a week. A longer one is a typing error.
const DURATION_MAX: i64 = 7 * 24 * 60;

/// The commands of a meeting.
#[derive(Debug)]
pub enum MeetingCommand {
    Create(MeetingDraft),
    Change(MeetingEdit),
    Delete,
    /// A deleted user's meeting goes to the successor.
    HandOver {
        from: Id,
        to: Id,
    },
}

/// A new meeting, checked.
#[derive(Debug)]
pub struct MeetingDraft {
    pub customer_id: Id,
    pub title: String,
    pub met_at: Timestamp,
    pub duration_minutes: Option<i64>,
    pub location: Option<String>,
    pub notes: Option<String>,
    pub outcome: Option<String>,
    pub owner_id: Option<Id>,
}

/// Changes of a meeting, checked.
#[derive(Debug, Default)]
pub struct MeetingEdit {
    pub customer_id: Option<Id>,
    pub title: Option<String>,
    pub met_at: Option<Timestamp>,
    pub duration_minutes: Option<Option<i64>>,
    pub location: Option<Option<String>>,
    pub notes: Option<Option<String>>,
    pub outcome: Option<Option<String>>,
    pub owner_id: Option<Id>,
}

/// What happened to a meeting, with the meeting after it.
#[derive(Debug)]
pub enum MeetingEvent {
    Created(Meeting),
    Updated { after: Meeting, changed: Vec<&'static str>, previous_owner_id: Option<Id> },
    Deleted(Meeting),
}

/// Checks a new meeting.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewMeeting) -> Result<MeetingDraft, Error> {
    let mut validator = Validator::default();
    let draft = MeetingDraft {
        customer_id: new.customer_id,
        title: validator.required("title", &new.title, TITLE_MAX),
        met_at: new.met_at,
        duration_minutes: new.duration_minutes.map(|minutes| check_duration(&mut validator, minutes)),
        location: validator.optional("location", new.location.as_deref(), TITLE_MAX),
        notes: validator.optional("notes", new.notes.as_deref(), TEXT_MAX),
        outcome: validator.optional("outcome", new.outcome.as_deref(), TEXT_MAX),
        owner_id: new.owner_id,
    };
    validator.ok(draft)
}

/// Checks changes of a meeting.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(changes: MeetingChanges) -> Result<MeetingEdit, Error> {
    let mut validator = Validator::default();
    let edit = MeetingEdit {
        customer_id: changes.customer_id,
        title: changes.title.map(|title| validator.required("title", &title, TITLE_MAX)),
        met_at: changes.met_at,
        duration_minutes: changes
            .duration_minutes
            .map(|minutes| minutes.map(|minutes| check_duration(&mut validator, minutes))),
        location: changes.location.map(|text| validator.optional("location", text.as_deref(), TITLE_MAX)),
        notes: changes.notes.map(|text| validator.optional("notes", text.as_deref(), TEXT_MAX)),
        outcome: changes.outcome.map(|text| validator.optional("outcome", text.as_deref(), TEXT_MAX)),
        owner_id: changes.owner_id,
    };
    validator.ok(edit)
}

fn check_duration(validator: &mut Validator, minutes: Whole) -> i64 {
    validator.range("duration_minutes", minutes.0, 0, DURATION_MAX)
}

/// The events that a command leads to.
///
/// # Errors
/// `not_found` (also if the caller may not see it), `forbidden`.
pub fn decide(
    state: Option<&Meeting>,
    command: &MeetingCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<MeetingEvent>, Error> {
    if let (MeetingCommand::Create(draft), None) = (command, state) {
        caller.may_set_owner(draft.owner_id)?;
        return Ok(vec![MeetingEvent::Created(created(draft, caller, id, now))]);
    }
    let meeting = visible(state, caller)?;
    match command {
        MeetingCommand::Create(_) => Err(Error::internal("a second creation of one meeting")),
        MeetingCommand::Change(edit) => {
            caller.may_set_owner(edit.owner_id)?;
            Ok(change(meeting, edit, now).into_iter().collect())
        }
        MeetingCommand::HandOver { from, to } => {
            let edit = MeetingEdit { owner_id: Some(*to), ..MeetingEdit::default() };
            let moved = (meeting.owner_id == *from).then(|| change(meeting, &edit, now));
            Ok(moved.flatten().into_iter().collect())
        }
        MeetingCommand::Delete => {
            let deleted_at = Some(now);
            Ok(vec![MeetingEvent::Deleted(Meeting { deleted_at, ..touched(meeting, now) })])
        }
    }
}

/// The meeting, if it is not deleted and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Meeting>, caller: &Caller) -> Result<&'a Meeting, Error> {
    let seen = state.filter(|meeting| meeting.deleted_at.is_none() && caller.sees(meeting.owner_id));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

fn created(draft: &MeetingDraft, caller: &Caller, id: Id, now: Timestamp) -> Meeting {
    Meeting {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        customer_id: draft.customer_id,
        title: draft.title.clone(),
        met_at: draft.met_at,
        duration_minutes: draft.duration_minutes,
        location: draft.location.clone(),
        notes: draft.notes.clone(),
        outcome: draft.outcome.clone(),
        owner_id: draft.owner_id.unwrap_or(caller.user_id),
        deleted_at: None,
    }
}

fn touched(meeting: &Meeting, now: Timestamp) -> Meeting {
    Meeting { version: meeting.version + 1, updated_at: now, ..meeting.clone() }
}

/// Returns `None` if every field has its wanted value already.
fn change(meeting: &Meeting, edit: &MeetingEdit, now: Timestamp) -> Option<MeetingEvent> {
    let mut after = touched(meeting, now);
    let mut changed = Vec::new();
    set(&mut after.customer_id, edit.customer_id, "customer_id", &mut changed);
    set(&mut after.title, edit.title.clone(), "title", &mut changed);
    set(&mut after.met_at, edit.met_at, "met_at", &mut changed);
    set(&mut after.duration_minutes, edit.duration_minutes, "duration_minutes", &mut changed);
    set(&mut after.location, edit.location.clone(), "location", &mut changed);
    set(&mut after.notes, edit.notes.clone(), "notes", &mut changed);
    set(&mut after.outcome, edit.outcome.clone(), "outcome", &mut changed);
    set(&mut after.owner_id, edit.owner_id, "owner_id", &mut changed);
    let previous_owner_id = (after.owner_id != meeting.owner_id).then_some(meeting.owner_id);
    (!changed.is_empty()).then_some(MeetingEvent::Updated { after, changed, previous_owner_id })
}

impl StateAfter for MeetingEvent {
    type State = Meeting;

    fn after(&self) -> &Meeting {
        match self {
            Self::Created(after) | Self::Updated { after, .. } | Self::Deleted(after) => after,
        }
    }
}

impl DomainEvent for MeetingEvent {
    fn event_type(&self) -> EventType {
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
