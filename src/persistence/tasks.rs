//! Tasks.

use crate::persistence::found;
use crate::persistence::tallies;
use crate::persistence::tallies::{EVER, TASKS_DONE, TASKS_DUE, only};
use domain::task::messages::{DueTask, TaskCounts, TaskFilter};
use domain::task::record::{Task, TaskStatus};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest, Sort};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging::{Each, List};
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
        ("search", Kind::Search),
        ("keyed_version", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The column by which the indexes of tasks begin.
const STATUSES: Each = Each { column: "status", values: &["OPEN", "DONE"] };

/// Live tasks with all of `words`; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &TaskFilter,
    words: &Words,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Page<Task>, StoreError> {
    let narrow = |sql: Sql| {
        let sql = sql
            .filter("deleted_at IS NULL", [])
            .filter_some("assignee_id = ?", owner)
            .filter_some("assignee_id = ?", filter.assignee_id)
            .filter_some("status = ?", filter.status.map(|status| status.as_str()))
            .filter_some("customer_id = ?", filter.customer_id)
            .filter_some("due_at < ?", filter.due_before);
        found::TASKS.holding(db.dialect(), sql, owner, words)
    };
    let each = (filter.status.is_none() && filter.customer_id.is_none()).then_some(STATUSES);
    // A customer has few tasks, a user many.
    let index = match (filter.customer_id, owner.or(filter.assignee_id)) {
        (Some(_), _) => "tasks_customer",
        (None, Some(_)) => "tasks_of_assignee",
        (None, None) => "tasks_status",
    };
    let (dialect, index) = (db.dialect(), Some(index));
    let list = List { dialect, table: &TASKS, sort, request, each, index, key: "id", covered: &[] };
    let by_index = filter.customer_id.is_none() && found::TASKS.are_few(db, owner, words).await?;
    let found = |columns: &str| if by_index { found::TASKS.found(dialect, columns, words) } else { None };
    let rows = match found(&TASKS.read_names()) {
        Some(found) => db.rows_of(&TASKS, list.sorted(narrow(found))).await?,
        None => db.rows_of(&TASKS, list.rows(narrow)).await?,
    };
    let total = match (request.count, filter.customer_id.is_some() || !words.is_empty()) {
        (false, _) => None,
        (true, true) => Some(match found("CAST(count(*) AS TEXT)") {
            Some(found) => db.number(narrow(found)).await?,
            None => db.number(list.count(narrow)).await?,
        }),
        (true, false) => Some(match only(owner, filter.assignee_id) {
            Some(assignee) => {
                let counts = |value: &str| filter.status.is_none_or(|status| value == status.as_str());
                tallies::count(db, &TASKS_DUE, assignee, (None, filter.due_before), counts).await?
            }
            None => 0,
        }),
    };
    let key = |row: &Task| sort.keyset(row.due_at, row.id);
    Ok(Page::of(rows, request, key, total))
}

/// Statistics: live tasks that are open and overdue at `now`, and done ones from `from` to `to`.
pub async fn stats(
    db: &Db,
    assignee: Option<Id>,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<TaskCounts, StoreError> {
    let open = |value: &str| value == TaskStatus::Open.as_str();
    Ok(TaskCounts {
        open: tallies::count(db, &TASKS_DUE, assignee, EVER, open).await?,
        done: tallies::count(db, &TASKS_DONE, assignee, (Some(from), Some(to)), |_| true).await?,
        overdue: tallies::count(db, &TASKS_DUE, assignee, (None, Some(now)), open).await?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_merged_for_every_status() {
        assert_eq!(STATUSES.values, [TaskStatus::Open, TaskStatus::Done].map(TaskStatus::as_str));
    }
}
