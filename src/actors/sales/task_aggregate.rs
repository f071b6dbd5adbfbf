//! A task as an aggregate: which rules, which table.

use serde::Serialize;

use crate::actors::comments::{Annotated, back_with, kept_with};
use crate::actors::undo::{Revert, Undo};
use crate::persistence::attachments::TASKS_ATTACHMENTS;
use crate::persistence::comments::TASKS_COMMENTS;
use crate::persistence::tasks::TASKS;
use domain::comment::record::AboutRecord;
use domain::saga::record::Counted;
use domain::search::keys::RecordKeys;
use domain::search::record::RecordType;
use domain::task::record::{Task, TaskPayload};
use domain::task::rules;
use domain::task::rules::{TaskCommand, TaskEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::EffectError;
use runtime::entity::Aggregate;
use store::table::Table;
use store::unit_of_work::Write;

/// A task.
pub struct TaskAggregate;

impl Aggregate for TaskAggregate {
    const KIND: &'static str = "sales.task";
    type State = Task;
    type Command = TaskCommand;
    type Event = TaskEvent;

    const TABLE: &'static Table = &TASKS;

    fn decide(
        state: Option<&Task>,
        command: &TaskCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<TaskEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    fn row(state: &Task) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Task,
            alerted_for: Option<Timestamp>,
            #[serde(flatten)]
            keys: RecordKeys,
        }
        let Task { version, title, notes, alerted_for, .. } = state;
        let keys = RecordKeys::of_task(*version, title, notes.as_deref());
        serde_json::to_string(&Row { state, alerted_for: *alerted_for, keys })
            .expect("states are plain structs")
    }

    fn beside(event: &TaskEvent, id: Id) -> Vec<Write> {
        match event {
            TaskEvent::Deleted(after) => kept_with::<Self>(id, after.updated_at),
            TaskEvent::Restored(_) => back_with(id),
            _ => Vec::new(),
        }
    }
}

impl Annotated for TaskAggregate {
    const COMMENT_KIND: &'static str = "sales.task_comment";
    const COMMENTS: &'static Table = &TASKS_COMMENTS;
    const ATTACHMENT_KIND: &'static str = "sales.task_attachment";
    const ATTACHMENTS: &'static Table = &TASKS_ATTACHMENTS;

    fn visible<'a>(state: Option<&'a Task>, caller: &Caller) -> Result<&'a Task, Error> {
        rules::visible(state, caller)
    }

    fn about(task: &Task) -> AboutRecord {
        AboutRecord {
            r#type: RecordType::Task,
            id: task.id,
            title: task.title.clone(),
            owner_id: task.assignee_id,
            customer_id: task.customer_id,
            merged: Vec::new(),
        }
    }
}

impl Revert for TaskAggregate {
    const COUNTED: Counted = Counted::Tasks;

    fn of_event(event: &LoggedEvent) -> Result<Task, EffectError> {
        Ok(event.payload::<TaskPayload>()?.task)
    }

    fn revert(to: Option<Task>, _: Undo) -> TaskCommand {
        TaskCommand::Revert { to: to.map(Box::new) }
    }
}
