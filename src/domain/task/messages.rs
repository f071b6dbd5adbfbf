//! The messages of the sales service about tasks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::task::record::TaskStatus;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Notes, Title};

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

#[derive(Clone, Serialize, Deserialize)]
pub struct CreateTask {
    pub task: NewTask,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeTask {
    pub id: Id,
    pub changes: TaskChanges,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteTask {
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindTask {
    pub id: Id,
    pub caller: Caller,
}

/// The filter of a list of tasks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskFilter {
    pub status: Option<TaskStatus>,
    pub assignee_id: Option<Id>,
    pub customer_id: Option<Id>,
    pub due_before: Option<Timestamp>,
}

/// The order of tasks: the first due first.
pub const DUE_FIRST: Sort = Sort::time("due_at", "due_at", false);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListTasks {
    pub caller: Caller,
    pub filter: TaskFilter,
    pub page: PageRequest,
}

/// Statistics of the tasks that the caller may see: open and overdue ones now, done ones of a period.
#[derive(Clone, Serialize, Deserialize)]
pub struct TaskStats {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A task that is due, and its place in the order of the scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueTask {
    pub id: Id,
    pub due_at: Timestamp,
}

/// Flow 5: sends the alerts of the next batch of tasks that are due soon: those after `after`, if there was a batch
/// before. The answer is the last task of a full batch, after which there may be more.
#[derive(Clone, Serialize, Deserialize)]
pub struct AlertDueTasks {
    pub after: Option<DueTask>,
    pub context: Context,
}

/// Counts of tasks.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCounts {
    pub open: i64,
    pub done: i64,
    /// Those of `open` whose due time has passed.
    pub overdue: i64,
}
