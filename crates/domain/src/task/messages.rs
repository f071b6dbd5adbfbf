//! The messages of the sales service about tasks.

use serde::{Deserialize, Serialize};

use crate::task::record::TaskStatus;
use crate::task::record::{NewTask, TaskChanges};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

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

/// The events about a task that the caller may see, newest first: those that the live feed would show the caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadTaskActivity {
    pub id: Id,
    pub caller: Caller,
    pub page: PageRequest,
}

/// The filter of a list of tasks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskFilter {
    /// Words of the title or notes, or of the customer's name (see [`Words`](kernel::search::Words)).
    #[serde(default)]
    pub q: Option<String>,
    pub status: Option<TaskStatus>,
    pub assignee_id: Option<Id>,
    pub customer_id: Option<Id>,
    pub due_before: Option<Timestamp>,
}

/// The orders that `?sort=` may name; the first is the default.
pub const SORTS: [Sort; 2] = [Sort::time("due_at", "due_at", false), Sort::time("-due_at", "due_at", true)];

kernel::sort_names!(SORTS);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListTasks {
    pub caller: Caller,
    pub filter: TaskFilter,
    #[serde(with = "sort_name", default = "sort_name::first")]
    pub sort: Sort,
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
