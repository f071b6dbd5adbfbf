//! A task, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Notes, Title};

/// Whether a task is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    #[default]
    Open,
    Done,
}

impl TaskStatus {
    /// Its name in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Done => "DONE",
        }
    }
}

/// A task: something to be done by a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub title: String,
    pub due_at: Timestamp,
    pub status: TaskStatus,
    #[schema(required)]
    pub completed_at: Option<Timestamp>,
    #[schema(required)]
    pub customer_id: Option<Id>,
    pub assignee_id: Id,
    #[schema(required)]
    pub notes: Option<String>,
    /// When it was deleted. Only events have it: the API shows no deleted tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
    /// The due time for which an alert went out: stored, but not part of the API.
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub alerted_for: Option<Timestamp>,
}

/// A new task.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    #[schema(value_type = Title)]
    pub title: String,
    pub due_at: Timestamp,
    pub customer_id: Option<Id>,
    /// The caller if absent; only MANAGER and ADMIN name another.
    pub assignee_id: Option<Id>,
    #[schema(value_type = Option<Notes>)]
    pub notes: Option<String>,
    /// OPEN if absent.
    pub status: Option<TaskStatus>,
}

/// Changes of a task; absent fields stay as they are, null clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskChanges {
    #[schema(value_type = Title, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub title: Option<String>,
    #[schema(value_type = Timestamp, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub due_at: Option<Timestamp>,
    #[schema(value_type = Option<Id>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub customer_id: Change<Id>,
    #[schema(value_type = Id, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub assignee_id: Option<Id>,
    #[schema(value_type = Option<Notes>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub notes: Change<String>,
    #[schema(value_type = TaskStatus, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub status: Option<TaskStatus>,
}

/// `task.created`, `task.updated`, `task.completed`, `task.deleted`, `task.due_soon`: the task after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TaskPayload {
    pub task: Task,
    /// Names of the changed fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The assignee before, if the assignee changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_assignee_id: Option<Id>,
}

impl Versioned for Task {
    fn version(&self) -> i64 {
        self.version
    }
}
