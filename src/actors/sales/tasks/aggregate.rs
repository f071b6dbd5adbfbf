//! A task as an aggregate: which rules, which table.

use serde::Serialize;

use super::domain::{self, Task, TaskCommand, TaskEvent};
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Aggregate;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::table::Table;
use crate::persistence::tasks::TASKS;

/// A task.
pub struct TaskAggregate;

impl Aggregate for TaskAggregate {
    const KIND: &'static str = "sales.task";
    type State = Task;
    type Command = TaskCommand;
    type Event = TaskEvent;

    fn table() -> &'static Table {
        &TASKS
    }

    fn version(state: &Task) -> i64 {
        state.version
    }

    fn decide(
        state: Option<&Task>,
        command: &TaskCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<TaskEvent>, Refusal> {
        domain::decide(state, command, caller, id, now)
    }

    fn apply(_: Option<Task>, event: &TaskEvent) -> Task {
        match event {
            TaskEvent::Created(after)
            | TaskEvent::Updated { after, .. }
            | TaskEvent::Completed { after, .. }
            | TaskEvent::Deleted(after)
            | TaskEvent::DueSoon(after) => after.clone(),
        }
    }

    fn row(state: &Task) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Task,
            alerted_for: Option<Timestamp>,
        }
        serde_json::to_string(&Row { state, alerted_for: state.alerted_for })
            .expect("states are plain structs")
    }
}
