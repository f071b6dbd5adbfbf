//! Imports, and the rows of their previews.

use domain::import::messages::IMPORTS_NEWEST_FIRST;
use domain::import::record::{Import, ImportRow, ImportStatus, RowOutcome};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

use crate::persistence::uploads;

pub static IMPORTS: Table = Table {
    name: "imports",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("created_by", Kind::Id),
        ("kind", Kind::Text),
        ("file_name", Kind::Text),
        ("format", Kind::Text),
        ("encoding", Kind::Text),
        ("headers", Kind::Json),
        ("mapping", Kind::Json),
        ("match_on", Kind::Text),
        ("date_order", Kind::Text),
        ("decimal", Kind::Text),
        ("time_zone", Kind::Text),
        ("status", Kind::Text),
        ("counts", Kind::Json),
        ("faults", Kind::Json),
        ("saga", Kind::Id),
        ("staged", Kind::Json),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The rows of an import that are kept, a row of this table for each outcome.
pub static IMPORT_ROWS: Table = Table {
    name: "import_rows",
    columns: &[("id", Kind::Text), ("version", Kind::Int), ("import_id", Kind::Id), ("rows", Kind::Json)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
    version: i64,
    import_id: Id,
    rows: Vec<ImportRow>,
}

fn key(import: Id, outcome: RowOutcome) -> String {
    format!("{import}/{}", outcome.as_str())
}

/// Keeps the rows of a preview in the place of those of the one before.
pub fn keep_rows(import: Id, version: i64, rows: &[ImportRow]) -> Vec<Write> {
    let of = |outcome: &RowOutcome| {
        let rows = rows.iter().filter(|row| row.outcome == *outcome).cloned().collect();
        let kept = Kept { id: key(import, *outcome), version, import_id: import, rows };
        Write::put(&IMPORT_ROWS, &kept.id, &kept)
    };
    RowOutcome::ALL.iter().map(of).collect()
}

/// The rows of an outcome that are kept.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn rows(db: &Db, import: Id, outcome: RowOutcome) -> Result<Vec<ImportRow>, StoreError> {
    let tail = Sql::default().filter("id = ?", [key(import, outcome).into()]);
    let kept: Vec<Kept> = db.rows(&IMPORT_ROWS, tail).await?;
    Ok(kept.into_iter().next().map(|kept| kept.rows).unwrap_or_default())
}

/// Imports, newest first; with `owner`, that user's alone.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn list(db: &Db, owner: Option<Id>, request: &PageRequest) -> Result<Page<Import>, StoreError> {
    let narrow = |sql: Sql| sql.filter_some("created_by = ?", owner);
    let key = |row: &Import| IMPORTS_NEWEST_FIRST.keyset(row.created_at, row.id);
    paging::page(db, &IMPORTS, request, &IMPORTS_NEWEST_FIRST, narrow, key).await
}

#[derive(Deserialize)]
struct Old {
    id: Id,
}

static OLD: Table =
    Table { name: "old", columns: &[("id", Kind::Id)], on_conflict: OnConflict::Fail, fence: "id" };

/// Deletes the oldest imports of a user that are previewed and not carried out, but for so many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn make_room(db: &Db, user: Id, kept: i64) -> Result<(), StoreError> {
    let open = Sql::new("SELECT id FROM imports")
        .filter("created_by = ?", [user.into()])
        .filter("status = ?", [ImportStatus::Previewed.as_str().into()])
        .push(" ORDER BY created_at DESC, id DESC LIMIT 100 OFFSET ? + 0", [kept.into()]);
    let open: Vec<Old> = db.rows_of(&OLD, open).await?;
    delete(db, &open).await
}

/// Deletes imports with their files and rows.
async fn delete(db: &Db, imports: &[Old]) -> Result<(), StoreError> {
    for Old { id } in imports {
        uploads::delete_parts(db, *id).await?;
        let rows = "DELETE FROM import_rows WHERE import_id = ?";
        db.execute(Sql::default().push(rows, [(*id).into()])).await?;
        // The row goes last: what is interrupted is found again.
        db.execute(Sql::default().push("DELETE FROM imports WHERE id = ?", [(*id).into()])).await?;
    }
    Ok(())
}

/// Deletes imports that were previewed before `open` and never carried out, and all that are older than `all`, some at a time, with
/// their files and rows; returns how many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn purge(db: &Db, open: Timestamp, all: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let old = Sql::new("SELECT id FROM imports").filter(
        "((updated_at < ? AND status = 'previewed') OR (updated_at < ? AND status <> 'committing'))",
        [open.into(), all.into()],
    );
    let old: Vec<Old> = db.rows_of(&OLD, old.push(" ORDER BY updated_at, id", []).limit(limit)).await?;
    delete(db, &old).await?;
    Ok(old.len() as u64)
}
