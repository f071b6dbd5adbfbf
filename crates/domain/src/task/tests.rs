//! Tests of the rules of tasks.

use kernel::event::StateAfter;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use crate::task::record::{NewTask, TaskChanges};
use crate::task::record::{Task, TaskStatus};
use crate::task::rules::{TaskCommand, check_changes, check_new, decide};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::DomainEvent;
use kernel::ids::{Id, new_id};
use kernel::scopes::Scopes;

const DAY: Duration = Duration::from_hours(24);
const MICRO: Duration = Duration::from_micros(1);

fn now() -> Timestamp {
    Timestamp::parse("2026-03-02T09:00:00Z").expect("a time")
}

fn caller(role: Role) -> Caller {
    Caller { user_id: new_id(), role, session_id: Id::nil(), scopes: Scopes::ALL }
}

fn create(due_at: Timestamp, status: TaskStatus, assignee_id: Option<Id>) -> TaskCommand {
    let (title, status) = ("電話する".to_owned(), Some(status));
    let new = NewTask { title, due_at, status, customer_id: None, assignee_id, notes: None };
    TaskCommand::Create(check_new(new).expect("a right task"))
}

fn change(changes: TaskChanges) -> TaskCommand {
    TaskCommand::Change(check_changes(changes).expect("right changes"))
}

/// The task after the command, and the types of its events.
fn run(
    task: Option<Task>,
    command: &TaskCommand,
    by: &Caller,
    at: Timestamp,
) -> Result<(Option<Task>, Vec<&'static str>), Error> {
    let events = decide(task.as_ref(), command, by, new_id(), at)?;
    let types = events.iter().map(|event| event.event_type().name()).collect();
    Ok((events.iter().fold(task, |_, event| Some(event.after().clone())), types))
}

/// A task of a caller who sees everything.
fn open(due_at: Timestamp) -> Task {
    let made = run(None, &create(due_at, TaskStatus::Open, None), &Caller::system(), now());
    made.expect("a right task").0.expect("a task")
}

fn edited(task: &Task, changes: TaskChanges, at: Timestamp) -> (Task, Vec<&'static str>) {
    let changed = run(Some(task.clone()), &change(changes), &Caller::system(), at);
    let (task, types) = changed.expect("a right change");
    (task.expect("a task"), types)
}

fn to(status: TaskStatus) -> TaskChanges {
    TaskChanges { status: Some(status), ..TaskChanges::default() }
}

#[test]
fn a_task_is_completed_when_it_becomes_done_and_only_then() {
    let later = now().plus(DAY);
    let both = TaskChanges { notes: Some(Some("済".into())), ..to(TaskStatus::Done) };
    let (done, types) = edited(&open(now()), both, later);
    assert_eq!((done.version, done.updated_at, done.completed_at), (2, later, Some(later)));
    assert_eq!((types, done.notes.as_deref()), (vec!["task.completed"], Some("済")));
    assert_eq!(edited(&done, to(TaskStatus::Done), later.plus(DAY)), (done.clone(), vec![]));
    let noted = TaskChanges { notes: Some(None), ..to(TaskStatus::Done) };
    let (noted, types) = edited(&done, noted, later.plus(DAY));
    assert_eq!((noted.completed_at, types), (Some(later), vec!["task.updated"]));
    let (open, types) = edited(&noted, to(TaskStatus::Open), later.plus(DAY));
    assert_eq!((open.status, open.completed_at, types), (TaskStatus::Open, None, vec!["task.updated"]));
}

#[test]
fn a_task_that_begins_as_done_is_created_and_completed() {
    let command = create(now(), TaskStatus::Done, None);
    let (task, types) = run(None, &command, &caller(Role::Sales), now()).expect("a right task");
    let task = task.expect("a task");
    assert_eq!(types, ["task.created", "task.completed"]);
    assert_eq!((task.version, task.status, task.completed_at), (2, TaskStatus::Done, Some(now())));
}

#[rstest]
#[case::overdue_for_long(Duration::ZERO, DAY * 365, true)]
#[case::due_now(DAY, DAY, true)]
#[case::just_a_day_ahead(DAY, Duration::ZERO, true)]
#[case::more_than_a_day_ahead(DAY + MICRO, Duration::ZERO, false)]
fn an_alert_goes_out_from_a_day_before_the_due_time(
    #[case] due_in: Duration,
    #[case] looked_after: Duration,
    #[case] goes_out: bool,
) {
    let task = open(now().plus(due_in));
    let at = now().plus(looked_after);
    let (after, types) =
        run(Some(task.clone()), &TaskCommand::AlertDue, &Caller::system(), at).expect("a scan");
    let after = after.expect("a task");
    if goes_out {
        assert_eq!(types, ["task.due_soon"]);
        assert_eq!((after.version, after.updated_at), (2, task.updated_at), "nobody has changed it");
        assert_eq!(after.alerted_for, Some(task.due_at));
    } else {
        assert_eq!((after, types), (task, vec![]));
    }
}

#[test]
fn a_task_goes_with_its_assignee_or_customer_and_with_no_other() {
    let (customer, system) = (new_id(), Caller::system());
    let changes = TaskChanges { customer_id: Some(Some(customer)), ..TaskChanges::default() };
    let (task, _) = edited(&open(now()), changes, now());
    let with = |gone| run(Some(task.clone()), &TaskCommand::DeleteWith { gone }, &system, now());
    for gone in [customer, task.assignee_id] {
        assert_eq!(with(gone).expect("allowed").1, ["task.deleted"]);
    }
    assert_eq!(with(new_id()), Ok((Some(task.clone()), vec![])));
}

#[test]
fn neither_done_nor_deleted_tasks_are_alerted() {
    let (done, _) = edited(&open(now()), to(TaskStatus::Done), now());
    let alerted = run(Some(done.clone()), &TaskCommand::AlertDue, &Caller::system(), now());
    assert_eq!(alerted, Ok((Some(done.clone()), vec![])));
    let (deleted, _) = run(Some(done), &TaskCommand::Delete, &Caller::system(), now()).expect("a deletion");
    let alerted = run(deleted, &TaskCommand::AlertDue, &Caller::system(), now());
    assert_eq!(alerted, Err(Error::new(ErrorCode::NotFound)));
}

#[test]
fn sales_give_a_task_to_nobody_else_and_see_no_other() {
    let (sales, manager) = (caller(Role::Sales), caller(Role::Manager));
    let to_manager = create(now(), TaskStatus::Open, Some(manager.user_id));
    assert_eq!(run(None, &to_manager, &sales, now()), Err(Error::new(ErrorCode::Forbidden)));
    let (own, _) = run(None, &create(now(), TaskStatus::Open, None), &sales, now()).expect("an own task");
    assert_eq!(own.as_ref().map(|task| task.assignee_id), Some(sales.user_id));
    let give = TaskChanges { assignee_id: Some(manager.user_id), ..TaskChanges::default() };
    let give = change(give);
    assert_eq!(run(own.clone(), &give, &sales, now()), Err(Error::new(ErrorCode::Forbidden)));
    let (given, _) = run(own, &give, &manager, now()).expect("a manager may");
    assert_eq!(run(given, &TaskCommand::Delete, &sales, now()), Err(Error::new(ErrorCode::NotFound)));
}

/// What may happen to a task between two scans.
#[derive(Clone, Debug)]
enum Happening {
    Scan,
    Due(u64),
    Status(bool),
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Scan),
        1 => (0_u64..72).prop_map(Happening::Due),
        1 => any::<bool>().prop_map(Happening::Status),
        1 => (0_u64..48).prop_map(Happening::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_an_alert_needs_a_due_time_set_since_the_one_before(
        happenings in proptest::collection::vec(happening(), 0..40),
    ) {
        let (mut task, mut at) = (open(now().plus(DAY)), now());
        let mut is_armed = true;
        for happening in happenings {
            let command = match happening {
                Happening::Wait(hours) => {
                    at = at.plus(Duration::from_hours(hours));
                    continue;
                }
                Happening::Scan => TaskCommand::AlertDue,
                Happening::Due(hours) => {
                    let due_at = now().plus(Duration::from_hours(hours));
                    is_armed |= due_at != task.due_at;
                    change(TaskChanges { due_at: Some(due_at), ..TaskChanges::default() })
                }
                Happening::Status(done) => {
                    change(to(if done { TaskStatus::Done } else { TaskStatus::Open }))
                }
            };
            let version = task.version;
            let (after, types) = run(Some(task), &command, &Caller::system(), at).expect("a right command");
            task = after.expect("a task");
            prop_assert_eq!(task.version, version + types.len() as i64);
            if types == ["task.due_soon"] {
                prop_assert!(is_armed && task.status == TaskStatus::Open && task.due_at <= at.plus(DAY));
                is_armed = false;
            }
        }
    }
}
