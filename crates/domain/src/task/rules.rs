//! The rules of tasks. Pure.

use crate::events as catalogue;
use crate::task::record::{Task, TaskPayload, TaskStatus};
use crate::undo::revert::{check_revert, take_back};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;
use std::time::Duration;

use crate::task::record::{NewTask, TaskChanges};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::text_schemas::{Notes, Title};
use kernel::validation::{Checked, Rules, Validator, faults_of, set};

/// How long before the due time of a task its alert goes out (SPEC §5, flow 5).
const ALERT_AHEAD: Duration = Duration::from_hours(24);

impl Task {
    /// Whether its alert is due: the task is open, due soon or overdue, and had no alert for this due time.
    fn awaits_alert(&self, now: Timestamp) -> bool {
        self.status == TaskStatus::Open
            && self.due_at <= alert_horizon(now)
            && self.alerted_for != Some(self.due_at)
    }
}

/// At `now`, tasks that are due by this moment get their alerts.
pub fn alert_horizon(now: Timestamp) -> Timestamp {
    now.plus(ALERT_AHEAD)
}

/// The commands of a task.
#[derive(Debug)]
pub enum TaskCommand {
    Create(Checked<NewTask>),
    Change(Checked<TaskChanges>),
    Delete,
    /// It is deleted with its assignee or customer, if it is still theirs.
    DeleteWith {
        gone: Id,
    },
    /// Sends the alert, unless it is too early or has been sent.
    AlertDue,
    /// A merged customer's task goes to the other customer.
    Move {
        from: Id,
        to: Id,
    },
    /// Becomes again what it was: `None` if it did not exist.
    Revert {
        to: Option<Box<Task>>,
    },
}

/// What happened to a task, with the task after it.
#[derive(Debug)]
pub enum TaskEvent {
    Created(Task),
    Updated {
        after: Task,
        changed: Vec<&'static str>,
        previous_assignee_id: Option<Id>,
    },
    /// The task became DONE; other fields may have changed with it.
    Completed {
        after: Task,
        changed: Vec<&'static str>,
        previous_assignee_id: Option<Id>,
    },
    Deleted(Task),
    Restored(Task),
    DueSoon(Task),
}

/// The rules of the fields, for a new task and for changes alike.
macro_rules! check_fields {
    ($body:expr) => {{
        let (mut validator, mut body) = (Validator::default(), $body);
        validator.required::<Title>("title", &mut body.title);
        validator.optional::<Notes>("notes", &mut body.notes);
        validator.ok(body)
    }};
}

/// Checks a new task.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewTask) -> Result<Checked<NewTask>, Error> {
    check_fields!(new)
}

/// Checks changes of a task.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(changes: TaskChanges) -> Result<Checked<TaskChanges>, Error> {
    check_fields!(changes)
}

impl Rules for NewTask {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for TaskChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}

/// The events that a command leads to.
///
/// # Errors
/// `not_found` (also if the caller may not see it), `forbidden`.
pub fn decide(
    state: Option<&Task>,
    command: &TaskCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<TaskEvent>, Error> {
    if let (TaskCommand::Create(new), None) = (command, state) {
        caller.may_set_owner(new.assignee_id)?;
        return Ok(create(new, caller, id, now));
    }
    if let (TaskCommand::Revert { to }, Some(task)) = (command, state) {
        return Ok(revert(task, to.as_deref(), caller, now)?.into_iter().collect());
    }
    let task = visible(state, caller)?;
    match command {
        TaskCommand::Create(_) => Err(Error::internal("a second creation of one task")),
        TaskCommand::Change(changes) => {
            caller.may_set_owner(changes.assignee_id)?;
            Ok(change(task, changes, now).into_iter().collect())
        }
        TaskCommand::Move { from, to } => {
            let changes = TaskChanges { customer_id: Some(Some(*to)), ..TaskChanges::default() };
            let moved = (task.customer_id == Some(*from)).then(|| change(task, &changes, now));
            Ok(moved.flatten().into_iter().collect())
        }
        TaskCommand::Delete => Ok(vec![deleted(task, now)]),
        TaskCommand::DeleteWith { gone } => {
            let is_theirs = task.assignee_id == *gone || task.customer_id == Some(*gone);
            Ok(is_theirs.then(|| deleted(task, now)).into_iter().collect())
        }
        TaskCommand::AlertDue => Ok(alert(task, now).into_iter().collect()),
        TaskCommand::Revert { .. } => Err(Error::internal("a task that there is was reverted above")),
    }
}

fn deleted(task: &Task, now: Timestamp) -> TaskEvent {
    TaskEvent::Deleted(Task { deleted_at: Some(now), ..touched(task, now) })
}

/// What leads back to `to`. An alert that went out for its due time is not sent again.
///
/// # Errors
/// `not_found` if the caller may see neither what it is nor what it was; `forbidden` if it would get another assignee.
fn revert(
    task: &Task,
    to: Option<&Task>,
    caller: &Caller,
    now: Timestamp,
) -> Result<Option<TaskEvent>, Error> {
    check_revert(caller, task.assignee_id, to.map(|to| to.assignee_id))?;
    let is_live = task.deleted_at.is_none();
    let Some(to) = to.filter(|to| to.deleted_at.is_none()) else {
        return Ok(is_live.then(|| deleted(task, now)));
    };
    let mut after = touched(task, now);
    let mut changed = Vec::new();
    take_back!(after, to, changed, [title, due_at, status, completed_at, customer_id, assignee_id, notes]);
    let previous_assignee_id = (after.assignee_id != task.assignee_id).then_some(task.assignee_id);
    Ok(match is_live {
        true if changed.is_empty() => None,
        true if after.status == TaskStatus::Done && task.status == TaskStatus::Open => {
            Some(TaskEvent::Completed { after, changed, previous_assignee_id })
        }
        true => Some(TaskEvent::Updated { after, changed, previous_assignee_id }),
        false => Some(TaskEvent::Restored(Task { deleted_at: None, ..after })),
    })
}

/// The task, if it is not deleted and the caller may see it.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Task>, caller: &Caller) -> Result<&'a Task, Error> {
    let seen = state.filter(|task| task.deleted_at.is_none() && caller.sees(task.assignee_id));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// A task that is created as DONE emits created and completed, so that metrics count it.
fn create(new: &NewTask, caller: &Caller, id: Id, now: Timestamp) -> Vec<TaskEvent> {
    let task = Task {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        title: new.title.clone(),
        due_at: new.due_at,
        status: TaskStatus::Open,
        completed_at: None,
        customer_id: new.customer_id,
        assignee_id: new.assignee_id.unwrap_or(caller.user_id),
        notes: new.notes.clone(),
        deleted_at: None,
        alerted_for: None,
    };
    let status = TaskChanges { status: new.status, ..TaskChanges::default() };
    let completed = change(&task, &status, now);
    [TaskEvent::Created(task)].into_iter().chain(completed).collect()
}

fn touched(task: &Task, now: Timestamp) -> Task {
    Task { version: task.version + 1, updated_at: now, ..task.clone() }
}

/// Returns `None` if every field has its wanted value already.
fn change(task: &Task, wanted: &TaskChanges, now: Timestamp) -> Option<TaskEvent> {
    let mut after = touched(task, now);
    let mut changed = Vec::new();
    set(&mut after.title, wanted.title.clone(), "title", &mut changed);
    set(&mut after.due_at, wanted.due_at, "due_at", &mut changed);
    set(&mut after.status, wanted.status, "status", &mut changed);
    set(&mut after.customer_id, wanted.customer_id, "customer_id", &mut changed);
    set(&mut after.assignee_id, wanted.assignee_id, "assignee_id", &mut changed);
    set(&mut after.notes, wanted.notes.clone(), "notes", &mut changed);
    if after.status != task.status {
        let completed_at = (after.status == TaskStatus::Done).then_some(now);
        set(&mut after.completed_at, Some(completed_at), "completed_at", &mut changed);
    }
    let previous_assignee_id = (after.assignee_id != task.assignee_id).then_some(task.assignee_id);
    if changed.is_empty() {
        None
    } else if after.completed_at.is_some() && task.completed_at.is_none() {
        Some(TaskEvent::Completed { after, changed, previous_assignee_id })
    } else {
        Some(TaskEvent::Updated { after, changed, previous_assignee_id })
    }
}

/// The alert is not a user's change of the task, so `updated_at` stays. The new version ensures that it goes out once
/// on any number of nodes.
fn alert(task: &Task, now: Timestamp) -> Option<TaskEvent> {
    let alerted = || Task { version: task.version + 1, alerted_for: Some(task.due_at), ..task.clone() };
    task.awaits_alert(now).then(|| TaskEvent::DueSoon(alerted()))
}

impl StateAfter for TaskEvent {
    type State = Task;

    fn after(&self) -> &Task {
        match self {
            Self::Created(after)
            | Self::Updated { after, .. }
            | Self::Completed { after, .. }
            | Self::Deleted(after)
            | Self::Restored(after)
            | Self::DueSoon(after) => after,
        }
    }
}

impl DomainEvent for TaskEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::TASK_CREATED,
            Self::Updated { .. } => catalogue::TASK_UPDATED,
            Self::Completed { .. } => catalogue::TASK_COMPLETED,
            Self::Deleted(_) => catalogue::TASK_DELETED,
            Self::Restored(_) => catalogue::TASK_RESTORED,
            Self::DueSoon(_) => catalogue::TASK_DUE_SOON,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (task, changed, previous_assignee_id): (_, &[&str], _) = match self {
            Self::Created(after) | Self::Deleted(after) | Self::Restored(after) | Self::DueSoon(after) => {
                (after, &[], None)
            }
            Self::Updated { after, changed, previous_assignee_id }
            | Self::Completed { after, changed, previous_assignee_id } => {
                (after, changed, *previous_assignee_id)
            }
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&TaskPayload { task: task.clone(), changed, previous_assignee_id })
    }
}
