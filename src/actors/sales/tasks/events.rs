//! The payloads of tasks' events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::domain::{Task, TaskEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

/// `task.created`, `task.updated`, `task.completed`, `task.deleted`, `task.due_soon`: the task after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TaskPayload {
    pub task: Task,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Whose it was before, where the assignee changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_assignee_id: Option<Id>,
}

impl DomainEvent for TaskEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::TASK_CREATED,
            Self::Updated { .. } => catalogue::TASK_UPDATED,
            Self::Completed { .. } => catalogue::TASK_COMPLETED,
            Self::Deleted(_) => catalogue::TASK_DELETED,
            Self::DueSoon(_) => catalogue::TASK_DUE_SOON,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (task, changed, previous_assignee_id): (_, &[&str], _) = match self {
            Self::Created(after) | Self::Deleted(after) | Self::DueSoon(after) => (after, &[], None),
            Self::Updated { after, changed, previous_assignee_id }
            | Self::Completed { after, changed, previous_assignee_id } => {
                (after, changed, *previous_assignee_id)
            }
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&TaskPayload { task: task.clone(), changed, previous_assignee_id })
    }
}
