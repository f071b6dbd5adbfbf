//! The rules of meetings. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::messages::{MeetingChanges, NewMeeting};
use crate::actors::context::Caller;
use crate::actors::fields::{Faults, Whole, set};
use crate::actors::refusal::{Code, Refusal};
use crate::clock::Timestamp;
use crate::ids::Id;

const TITLE_MAX: usize = 200;
const TEXT_MAX: usize = 10_000;
/// A week: longer is a slip of the keyboard.
const DURATION_MAX: i64 = 7 * 24 * 60;

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
    /// Set in events of a deleted meeting; the API shows none of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
}

/// What can be done to a meeting.
#[derive(Debug)]
pub enum MeetingCommand {
    Create(MeetingDraft),
    Change(MeetingEdit),
    Delete,
    /// Goes from one who is gone to their heir.
    Inherit {
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
/// `invalid_fields` with every fault.
pub fn check_new(new: NewMeeting) -> Result<MeetingDraft, Refusal> {
    let mut faults = Faults::default();
    let draft = MeetingDraft {
        customer_id: new.customer_id,
        title: faults.required("title", &new.title, TITLE_MAX),
        met_at: new.met_at,
        duration_minutes: new.duration_minutes.map(|minutes| check_duration(&mut faults, minutes)),
        location: faults.optional("location", new.location.as_deref(), TITLE_MAX),
        notes: faults.optional("notes", new.notes.as_deref(), TEXT_MAX),
        outcome: faults.optional("outcome", new.outcome.as_deref(), TEXT_MAX),
        owner_id: new.owner_id,
    };
    faults.ok(draft)
}

/// Checks changes of a meeting.
///
/// # Errors
/// `invalid_fields` with every fault.
pub fn check_changes(changes: MeetingChanges) -> Result<MeetingEdit, Refusal> {
    let mut faults = Faults::default();
    let edit = MeetingEdit {
        customer_id: changes.customer_id,
        title: changes.title.map(|title| faults.required("title", &title, TITLE_MAX)),
        met_at: changes.met_at,
        duration_minutes: changes
            .duration_minutes
            .map(|minutes| minutes.map(|minutes| check_duration(&mut faults, minutes))),
        location: changes.location.map(|text| faults.optional("location", text.as_deref(), TITLE_MAX)),
        notes: changes.notes.map(|text| faults.optional("notes", text.as_deref(), TEXT_MAX)),
        outcome: changes.outcome.map(|text| faults.optional("outcome", text.as_deref(), TEXT_MAX)),
        owner_id: changes.owner_id,
    };
    faults.ok(edit)
}

fn check_duration(faults: &mut Faults, minutes: Whole) -> i64 {
    faults.range("duration_minutes", minutes.0, 0, DURATION_MAX)
}

/// What a command leads to.
///
/// # Errors
/// `not_found` also for what the caller may not see, `forbidden`.
pub fn decide(
    state: Option<&Meeting>,
    command: &MeetingCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<MeetingEvent>, Refusal> {
    if let (MeetingCommand::Create(draft), None) = (command, state) {
        caller.may_set_owner(draft.owner_id)?;
        return Ok(vec![MeetingEvent::Created(created(draft, caller, id, now))]);
    }
    let meeting = visible(state, caller)?;
    match command {
        MeetingCommand::Create(_) => Err(Refusal::new(Code::Internal)),
        MeetingCommand::Change(edit) => {
            caller.may_set_owner(edit.owner_id)?;
            Ok(change(meeting, edit, now).into_iter().collect())
        }
        MeetingCommand::Inherit { from, to } => {
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

/// The meeting, if it lives and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Meeting>, caller: &Caller) -> Result<&'a Meeting, Refusal> {
    let seen = state.filter(|meeting| meeting.deleted_at.is_none() && caller.sees(meeting.owner_id));
    seen.ok_or_else(|| Refusal::new(Code::NotFound))
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

/// Nothing, if every field has its wanted value already.
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
