//! Attachments: a table for each kind of record, all of one description.

use crate::persistence::comments::beside_any;
use domain::attachment::messages::ATTACHMENTS_NEWEST_FIRST;
use domain::attachment::record::Attachment;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use serde::Deserialize;
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
    ("record_type", Kind::Text),
    ("record_id", Kind::Id),
    ("author_id", Kind::Id),
    ("name", Kind::Text),
    ("media_type", Kind::Text),
    ("size", Kind::Int),
    ("sha256", Kind::Text),
    ("place", Kind::Int),
];

const fn table(name: &'static str) -> Table {
    Table { name, columns: COLUMNS, on_conflict: OnConflict::Replace, fence: "version" }
}

// The names come after those of the records, as those of comments do.
pub static CUSTOMERS_ATTACHMENTS: Table = table("customers_attachments");
pub static MEETINGS_ATTACHMENTS: Table = table("meetings_attachments");
pub static TASKS_ATTACHMENTS: Table = table("tasks_attachments");
pub static APPROVALS_ATTACHMENTS: Table = table("approvals_attachments");
pub static DEALS_ATTACHMENTS: Table = table("deals_attachments");

/// The attachments of a record, the newest first.
pub async fn list(
    db: &Db,
    table: &'static Table,
    records: &[Id],
    request: &PageRequest,
) -> Result<Page<Attachment>, StoreError> {
    let narrow = |sql: Sql| beside_any(db, sql, records);
    let key = |it: &Attachment| ATTACHMENTS_NEWEST_FIRST.keyset(it.created_at, it.id);
    paging::page(db, table, request, &ATTACHMENTS_NEWEST_FIRST, narrow, key).await
}

/// The places that a record's attachments have: no more than a record may have.
pub async fn places(db: &Db, table: &'static Table, record: Id) -> Result<Vec<i64>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        place: i64,
    }
    static SHAPE: Table = Table {
        name: "places",
        columns: &[("place", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "place",
    };
    let places = Sql::new(format!("SELECT place FROM {}", table.name));
    let rows: Vec<Row> = db.rows_of(&SHAPE, places.filter("record_id = ?", [record.into()])).await?;
    Ok(rows.into_iter().map(|row| row.place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::comments::{
        APPROVALS_COMMENTS, CUSTOMERS_COMMENTS, DEALS_COMMENTS, MEETINGS_COMMENTS, TASKS_COMMENTS,
    };

    #[test]
    fn the_record_is_locked_before_its_attachments() {
        let pairs = [
            (&CUSTOMERS_ATTACHMENTS, &CUSTOMERS_COMMENTS),
            (&MEETINGS_ATTACHMENTS, &MEETINGS_COMMENTS),
            (&TASKS_ATTACHMENTS, &TASKS_COMMENTS),
            (&APPROVALS_ATTACHMENTS, &APPROVALS_COMMENTS),
            (&DEALS_ATTACHMENTS, &DEALS_COMMENTS),
        ];
        for (attachments, comments) in pairs {
            let records = comments.name.strip_suffix("_comments").expect("a name");
            assert_eq!(attachments.name, format!("{records}_attachments"));
        }
    }
}
