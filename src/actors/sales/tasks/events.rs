//! The payloads of tasks' events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::domain::{Task, TaskEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};

/// `task.created`, `task.updated`, `task.completed`, `task.deleted`, `task.due_soon`: the task after it.
#[derive(Debug, Serialize, Deserialize)]
pub struct TaskPayload {
    pub task: Task,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
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
        let (task, changed): (_, &[&str]) = match self {
            Self::Created(after) | Self::Deleted(after) | Self::DueSoon(after) => (after, &[]),
            Self::Updated { after, changed } | Self::Completed { after, changed } => (after, changed),
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&TaskPayload { task: task.clone(), changed })
    }
}
