//! Comments: a table for each kind of record, all of one description.

use domain::comment::messages::COMMENTS_NEWEST_FIRST;
use domain::comment::record::Comment;
use kernel::error::ErrorCode;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use serde::Deserialize;
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::LiveCheck;

/// The column by which the tables of what stands beside a record name the record.
const RECORD: &str = "record_id";

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
    ("record_type", Kind::Text),
    (RECORD, Kind::Id),
    ("author_id", Kind::Id),
    ("text", Kind::Text),
    ("mentions", Kind::Json),
    ("notified", Kind::Json),
];

const fn table(name: &'static str) -> Table {
    Table { name, columns: COLUMNS, on_conflict: OnConflict::Replace, fence: "version" }
}

// The names come after those of the records: a commit locks rows in the order of names, the record's first.
pub static CUSTOMERS_COMMENTS: Table = table("customers_comments");
pub static MEETINGS_COMMENTS: Table = table("meetings_comments");
pub static TASKS_COMMENTS: Table = table("tasks_comments");
pub static APPROVALS_COMMENTS: Table = table("approvals_comments");
pub static DEALS_COMMENTS: Table = table("deals_comments");

/// The comments on a record, and on those that have gone into it, the newest first.
pub async fn list(
    db: &Db,
    table: &'static Table,
    records: &[Id],
    request: &PageRequest,
) -> Result<Page<Comment>, StoreError> {
    let narrow = |sql: Sql| beside_any(db, sql, records);
    let key = |comment: &Comment| COMMENTS_NEWEST_FIRST.keyset(comment.created_at, comment.id);
    paging::page(db, table, request, &COMMENTS_NEWEST_FIRST, narrow, key).await
}

/// Restricts a query to what stands beside one of these records.
pub fn beside_any(db: &Db, sql: Sql, records: &[Id]) -> Sql {
    match records {
        [record] => sql.filter("record_id = ?", [(*record).into()]),
        _ => {
            let ids = serde_json::to_string(records).expect("ids are texts");
            sql.filter(&format!("record_id IN ({})", db.dialect().ids()), [ids.into()])
        }
    }
}

/// The most customers that are looked for behind one.
const MERGED_MAX: i64 = 1_000;

/// The customers that have gone into this one, directly or not; none of records of another kind.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn merged_into(db: &Db, records: &'static Table, id: Id) -> Result<Vec<Id>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: Id,
    }
    static SHAPE: Table =
        Table { name: "merged", columns: &[("id", Kind::Id)], on_conflict: OnConflict::Fail, fence: "id" };
    if !records.columns.iter().any(|(name, _)| *name == "merged_into") {
        return Ok(Vec::new());
    }
    let merged = "WITH RECURSIVE gone (id) AS (SELECT id FROM customers WHERE merged_into = ? \
                  UNION SELECT c.id FROM customers AS c JOIN gone AS g ON c.merged_into = g.id) \
                  SELECT id FROM gone";
    let rows: Vec<Row> =
        db.rows_of(&SHAPE, Sql::default().push(merged, [id.into()]).limit(MERGED_MAX)).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The condition that a record lives, so that nothing is put beside one that is deleted; `None` for records that are never
/// deleted.
pub fn lives(records: &'static Table, id: Id) -> Option<LiveCheck> {
    let can_end = records.columns.iter().any(|(name, _)| *name == "deleted_at");
    can_end.then_some(LiveCheck { table: records, id, code: ErrorCode::NotFound })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::approvals::APPROVALS;
    use crate::persistence::customers::CUSTOMERS;
    use crate::persistence::deals::DEALS;
    use crate::persistence::meetings::MEETINGS;
    use crate::persistence::tasks::TASKS;

    #[test]
    fn the_record_is_locked_before_its_comments() {
        let pairs = [
            (&CUSTOMERS, &CUSTOMERS_COMMENTS),
            (&MEETINGS, &MEETINGS_COMMENTS),
            (&TASKS, &TASKS_COMMENTS),
            (&APPROVALS, &APPROVALS_COMMENTS),
            (&DEALS, &DEALS_COMMENTS),
        ];
        for (records, comments) in pairs {
            assert!(records.name < comments.name, "{}", comments.name);
            assert_eq!(comments.name, format!("{}_comments", records.name));
        }
    }

    #[test]
    fn only_a_record_that_can_be_deleted_must_live() {
        let id = kernel::ids::new_id();
        assert!(lives(&MEETINGS, id).is_some() && lives(&APPROVALS, id).is_none());
    }
}
