//! A task as an aggregate: which rules, which table.

use serde::Serialize;

use crate::persistence::tasks::TASKS;
use domain::search::keys::RecordKeys;
use domain::task::record::Task;
use domain::task::rules;
use domain::task::rules::{TaskCommand, TaskEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use runtime::entity::Aggregate;
use store::table::Table;

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
}
