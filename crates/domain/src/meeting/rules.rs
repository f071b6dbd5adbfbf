//! The rules of meetings. Pure.

use crate::events as catalogue;
use crate::meeting::record::{Meeting, MeetingPayload};
use crate::undo::revert::{check_revert, take_back};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;

use crate::meeting::record::{MeetingChanges, NewMeeting};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::text_schemas::{Line, Notes, Title};
use kernel::validation::{Checked, Given, Rules, Validator, faults_of, set};
use kernel::whole_number::Whole;

/// In minutes: a week. A longer one is a typing error.
const DURATION_MAX: i64 = 7 * 24 * 60;

/// The commands of a meeting.
#[derive(Debug)]
pub enum MeetingCommand {
    Create(Checked<NewMeeting>),
    Change(Checked<MeetingChanges>),
    Delete,
    /// It is deleted with its customer, if it is still that customer's.
    DeleteWith {
        customer_id: Id,
    },
    /// A deleted user's meeting goes to the successor.
    HandOver {
        from: Id,
        to: Id,
    },
    /// A merged customer's meeting goes to the other customer.
    Move {
        from: Id,
        to: Id,
    },
    /// Becomes again what it was: `None` if it did not exist.
    Revert {
        to: Option<Box<Meeting>>,
    },
}

/// What happened to a meeting, with the meeting after it.
#[derive(Debug)]
pub enum MeetingEvent {
    Created(Meeting),
    Updated { after: Meeting, changed: Vec<&'static str>, previous_owner_id: Option<Id> },
    Deleted(Meeting),
    Restored(Meeting),
}

/// The rules of the fields, for a new meeting and for changes alike.
macro_rules! check_fields {
    ($body:expr) => {{
        let (mut validator, mut body) = (Validator::default(), $body);
        validator.required::<Title>("title", &mut body.title);
        check_duration(&mut validator, &mut body.duration_minutes);
        validator.optional::<Line>("location", &mut body.location);
        validator.optional::<Notes>("notes", &mut body.notes);
        validator.optional::<Notes>("outcome", &mut body.outcome);
        validator.ok(body)
    }};
}

/// Checks a new meeting.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewMeeting) -> Result<Checked<NewMeeting>, Error> {
    check_fields!(new)
}

/// Checks changes of a meeting.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(changes: MeetingChanges) -> Result<Checked<MeetingChanges>, Error> {
    check_fields!(changes)
}

impl Rules for NewMeeting {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for MeetingChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}

fn check_duration(validator: &mut Validator, minutes: &mut impl Given<Option<Whole>>) {
    if let Some(Some(minutes)) = minutes.given() {
        validator.range("duration_minutes", minutes.0, 0, DURATION_MAX);
    }
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
    if let (MeetingCommand::Create(new), None) = (command, state) {
        caller.may_set_owner(new.owner_id)?;
        return Ok(vec![MeetingEvent::Created(created(new, caller, id, now))]);
    }
    if let (MeetingCommand::Revert { to }, Some(meeting)) = (command, state) {
        return Ok(revert(meeting, to.as_deref(), caller, now)?.into_iter().collect());
    }
    let meeting = visible(state, caller)?;
    match command {
        MeetingCommand::Create(_) => Err(Error::internal("a second creation of one meeting")),
        MeetingCommand::Change(changes) => {
            caller.may_set_owner(changes.owner_id)?;
            Ok(change(meeting, changes, now).into_iter().collect())
        }
        MeetingCommand::HandOver { from, to } => {
            let changes = MeetingChanges { owner_id: Some(*to), ..MeetingChanges::default() };
            let moved = (meeting.owner_id == *from).then(|| change(meeting, &changes, now));
            Ok(moved.flatten().into_iter().collect())
        }
        MeetingCommand::Move { from, to } => {
            let changes = MeetingChanges { customer_id: Some(*to), ..MeetingChanges::default() };
            let moved = (meeting.customer_id == *from).then(|| change(meeting, &changes, now));
            Ok(moved.flatten().into_iter().collect())
        }
        MeetingCommand::Delete => Ok(vec![deleted(meeting, now)]),
        MeetingCommand::DeleteWith { customer_id } => {
            let is_theirs = meeting.customer_id == *customer_id;
            Ok(is_theirs.then(|| deleted(meeting, now)).into_iter().collect())
        }
        MeetingCommand::Revert { .. } => Err(Error::internal("a meeting that there is was reverted above")),
    }
}

fn deleted(meeting: &Meeting, now: Timestamp) -> MeetingEvent {
    MeetingEvent::Deleted(Meeting { deleted_at: Some(now), ..touched(meeting, now) })
}

/// What leads back to `to`.
///
/// # Errors
/// `not_found` if the caller may see neither what it is nor what it was; `forbidden` if it would get another owner.
fn revert(
    meeting: &Meeting,
    to: Option<&Meeting>,
    caller: &Caller,
    now: Timestamp,
) -> Result<Option<MeetingEvent>, Error> {
    check_revert(caller, meeting.owner_id, to.map(|to| to.owner_id))?;
    let is_live = meeting.deleted_at.is_none();
    let Some(to) = to.filter(|to| to.deleted_at.is_none()) else {
        return Ok(is_live.then(|| deleted(meeting, now)));
    };
    let mut after = touched(meeting, now);
    let mut changed = Vec::new();
    take_back!(
        after,
        to,
        changed,
        [customer_id, title, met_at, duration_minutes, location, notes, outcome, owner_id]
    );
    let previous_owner_id = (after.owner_id != meeting.owner_id).then_some(meeting.owner_id);
    Ok(match is_live {
        true if changed.is_empty() => None,
        true => Some(MeetingEvent::Updated { after, changed, previous_owner_id }),
        false => Some(MeetingEvent::Restored(Meeting { deleted_at: None, ..after })),
    })
}

/// The meeting, if it is not deleted and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Meeting>, caller: &Caller) -> Result<&'a Meeting, Error> {
    let seen = state.filter(|meeting| meeting.deleted_at.is_none() && caller.sees(meeting.owner_id));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

fn created(new: &NewMeeting, caller: &Caller, id: Id, now: Timestamp) -> Meeting {
    Meeting {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        customer_id: new.customer_id,
        title: new.title.clone(),
        met_at: new.met_at,
        duration_minutes: new.duration_minutes.map(|minutes| minutes.0),
        location: new.location.clone(),
        notes: new.notes.clone(),
        outcome: new.outcome.clone(),
        owner_id: new.owner_id.unwrap_or(caller.user_id),
        deleted_at: None,
    }
}

fn touched(meeting: &Meeting, now: Timestamp) -> Meeting {
    Meeting { version: meeting.version + 1, updated_at: now, ..meeting.clone() }
}

/// Returns `None` if every field has its wanted value already.
fn change(meeting: &Meeting, wanted: &MeetingChanges, now: Timestamp) -> Option<MeetingEvent> {
    let mut after = touched(meeting, now);
    let mut changed = Vec::new();
    set(&mut after.customer_id, wanted.customer_id, "customer_id", &mut changed);
    set(&mut after.title, wanted.title.clone(), "title", &mut changed);
    set(&mut after.met_at, wanted.met_at, "met_at", &mut changed);
    let duration = wanted.duration_minutes.map(|minutes| minutes.map(|minutes| minutes.0));
    set(&mut after.duration_minutes, duration, "duration_minutes", &mut changed);
    set(&mut after.location, wanted.location.clone(), "location", &mut changed);
    set(&mut after.notes, wanted.notes.clone(), "notes", &mut changed);
    set(&mut after.outcome, wanted.outcome.clone(), "outcome", &mut changed);
    set(&mut after.owner_id, wanted.owner_id, "owner_id", &mut changed);
    let previous_owner_id = (after.owner_id != meeting.owner_id).then_some(meeting.owner_id);
    (!changed.is_empty()).then_some(MeetingEvent::Updated { after, changed, previous_owner_id })
}

impl StateAfter for MeetingEvent {
    type State = Meeting;

    fn after(&self) -> &Meeting {
        match self {
            Self::Created(after)
            | Self::Updated { after, .. }
            | Self::Deleted(after)
            | Self::Restored(after) => after,
        }
    }
}

impl DomainEvent for MeetingEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::MEETING_CREATED,
            Self::Updated { .. } => catalogue::MEETING_UPDATED,
            Self::Deleted(_) => catalogue::MEETING_DELETED,
            Self::Restored(_) => catalogue::MEETING_RESTORED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (meeting, changed, previous_owner_id): (_, &[&str], _) = match self {
            Self::Created(after) | Self::Deleted(after) | Self::Restored(after) => (after, &[], None),
            Self::Updated { after, changed, previous_owner_id } => (after, changed, *previous_owner_id),
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&MeetingPayload { meeting: meeting.clone(), changed, previous_owner_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn a_meeting_is_deleted_with_its_customer_and_with_no_other() {
        let (system, customer, now) = (Caller::system(), new_id(), Timestamp::from_micros(1));
        let new =
            serde_json::json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
        let new = serde_json::from_value(new).expect("a meeting");
        let create = MeetingCommand::Create(check_new(new).expect("a right meeting"));
        let made = decide(None, &create, &system, new_id(), now).expect("allowed");
        let meeting = made[0].after();
        let with = |customer_id| {
            let command = MeetingCommand::DeleteWith { customer_id };
            decide(Some(meeting), &command, &system, meeting.id, now).expect("allowed")
        };
        assert!(matches!(&with(customer)[..], [MeetingEvent::Deleted(_)]));
        assert!(with(new_id()).is_empty());
    }
}
