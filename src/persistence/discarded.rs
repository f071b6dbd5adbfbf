//! Deleted records, whose comments and files are kept as long as the deletion can be undone, and deleted users with their views.

use serde::{Deserialize, Serialize};

use crate::persistence::comments::merged_into;
use crate::persistence::customers::CUSTOMERS;
use crate::persistence::uploads;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

pub static DISCARDED_RECORDS: Table = Table {
    name: "discarded_records",
    columns: &[("id", Kind::Id), ("version", Kind::Int), ("records", Kind::Text), ("deleted_at", Kind::Time)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The tables of records that have comments and files.
const TABLES: [&str; 4] = ["customers", "meetings", "tasks", "deals"];
/// The table of those who have views.
const USERS: &str = "users";

#[derive(Serialize, Deserialize)]
struct Row {
    id: Id,
    version: i64,
    records: String,
    deleted_at: Timestamp,
}

/// Notes a deleted record of a table, or a deleted user.
pub fn note(records: &'static Table, id: Id, deleted_at: Timestamp) -> Write {
    debug_assert!(TABLES.contains(&records.name) || records.name == USERS, "{} has comments", records.name);
    Write::put(&DISCARDED_RECORDS, id, &Row { id, version: 1, records: records.name.to_owned(), deleted_at })
}

/// Forgets a record that is back.
pub fn forget(id: Id) -> Write {
    Write::delete(&DISCARDED_RECORDS, id)
}

/// Deletes what is kept of records and users that were deleted before a time, at most `limit` of them; returns how many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn purge(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let old = Sql::default().filter("deleted_at < ?", [before.into()]).push(" ORDER BY deleted_at", []);
    let old: Vec<Row> = db.rows(&DISCARDED_RECORDS, old.limit(limit)).await?;
    let purged = old.len() as u64;
    for Row { id, records, .. } in old {
        if records == USERS {
            db.execute(Sql::default().push("DELETE FROM user_views WHERE id = ?", [id.into()])).await?;
        }
        if let Some(records) = TABLES.into_iter().find(|table| **table == records) {
            purge_beside(db, records, id).await?;
        }
        // The row goes last: what is interrupted is found again.
        let delete = "DELETE FROM discarded_records WHERE id = ?";
        db.execute(Sql::default().push(delete, [id.into()])).await?;
    }
    Ok(purged)
}

/// Deletes the comments and files of a record, and of those that have gone into it.
async fn purge_beside(db: &Db, records: &'static str, id: Id) -> Result<(), StoreError> {
    let merged = match records {
        "customers" => merged_into(db, &CUSTOMERS, id).await?,
        _ => Vec::new(),
    };
    for gone in [id].into_iter().chain(merged) {
        uploads::delete_parts_of(db, gone).await?;
        for beside in ["attachments", "comments"] {
            let delete = format!("DELETE FROM {records}_{beside} WHERE record_id = ?");
            db.execute(Sql::default().push(&delete, [gone.into()])).await?;
        }
    }
    Ok(())
}
