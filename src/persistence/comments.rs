//! Comments: a table for each kind of record, all of one description.

use domain::comment::messages::COMMENTS_NEWEST_FIRST;
use domain::comment::record::Comment;
use kernel::error::ErrorCode;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::{LiveCheck, Write};

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

/// The comments on a record, the newest first.
pub async fn list(
    db: &Db,
    table: &'static Table,
    record: Id,
    request: &PageRequest,
) -> Result<Page<Comment>, StoreError> {
    let narrow = |sql: Sql| sql.filter("record_id = ?", [record.into()]);
    let key = |comment: &Comment| COMMENTS_NEWEST_FIRST.keyset(comment.created_at, comment.id);
    paging::page(db, table, request, &COMMENTS_NEWEST_FIRST, narrow, key).await
}

/// Deletes what stands beside a record in one of these tables.
pub fn delete_all_of(table: &'static Table, record: Id) -> Write {
    Write::delete_of(table, RECORD, record)
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
