//! Tasks.

use domain::task::messages::{DUE_FIRST, DueTask, TaskCounts, TaskFilter};
use domain::task::record::Task;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

pub static TASKS: Table = Table {
    name: "tasks",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("deleted_at", Kind::Time),
        ("title", Kind::Text),
        ("due_at", Kind::Time),
        ("status", Kind::Text),
        ("completed_at", Kind::Time),
        ("customer_id", Kind::Id),
        ("assignee_id", Kind::Id),
        ("notes", Kind::Text),
        ("alerted_for", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// Live tasks; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &TaskFilter,
    request: &PageRequest,
) -> Result<Page<Task>, StoreError> {
    let narrow = |sql: Sql| {
        sql.filter("deleted_at IS NULL", [])
            .filter_some("assignee_id = ?", owner)
            .filter_some("assignee_id = ?", filter.assignee_id)
            .filter_some("status = ?", filter.status.map(|status| status.as_str()))
            .filter_some("customer_id = ?", filter.customer_id)
            .filter_some("due_at < ?", filter.due_before)
    };
    let key = |row: &Task| DUE_FIRST.keyset(row.due_at, row.id);
    paging::page(db, &TASKS, request, &DUE_FIRST, narrow, key).await
}

/// Statistics: live tasks that are open and overdue at `now`, and done ones from `from` to `to`.
pub async fn stats(
    db: &Db,
    assignee: Option<Id>,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<TaskCounts, StoreError> {
    let live = || {
        Sql::new("SELECT CAST(count(*) AS TEXT) FROM tasks")
            .filter("deleted_at IS NULL", [])
            .filter_some("assignee_id = ?", assignee)
    };
    let open = || live().filter("status = 'OPEN'", []);
    let done = live().filter("completed_at >= ?", [from.into()]).filter("completed_at < ?", [to.into()]);
    Ok(TaskCounts {
        open: db.number(open()).await?,
        done: db.number(done).await?,
        overdue: db.number(open().filter("due_at < ?", [now.into()])).await?,
    })
}

/// Open tasks due by `by` that had no alert for their due time, the first due first: those after `after`, at most
/// `limit`.
pub async fn unalerted(
    db: &Db,
    by: Timestamp,
    after: Option<&DueTask>,
    limit: i64,
) -> Result<Vec<DueTask>, StoreError> {
    static SHAPE: Table = Table {
        name: "due",
        columns: &[("id", Kind::Id), ("due_at", Kind::Time)],
        on_conflict: OnConflict::Fail,
        fence: "due_at",
    };
    // The words of the index `tasks_unalerted`; otherwise it would not be used.
    let mut due = Sql::new("SELECT id, due_at FROM tasks")
        .filter("deleted_at IS NULL", [])
        .filter("status = 'OPEN'", [])
        .filter("alerted_for IS DISTINCT FROM due_at", [])
        .filter("due_at <= ?", [by.into()]);
    if let Some(after) = after {
        due = due.filter("(due_at, id) > (?, ?)", [after.due_at.into(), after.id.into()]);
    }
    db.rows_of(&SHAPE, due.push(" ORDER BY due_at, id", []).limit(limit)).await
}
