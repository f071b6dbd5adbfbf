//! Meetings.

use domain::meeting::messages::{LATEST_FIRST, MeetingCounts};
use std::collections::BTreeMap;

use serde::Deserialize;

use domain::meeting::messages::MeetingFilter;
use domain::meeting::record::Meeting;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

pub static MEETINGS: Table = Table {
    name: "meetings",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("deleted_at", Kind::Time),
        ("customer_id", Kind::Id),
        ("title", Kind::Text),
        ("met_at", Kind::Time),
        ("duration_minutes", Kind::Int),
        ("location", Kind::Text),
        ("notes", Kind::Text),
        ("outcome", Kind::Text),
        ("owner_id", Kind::Id),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// Live meetings; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &MeetingFilter,
    request: &PageRequest,
) -> Result<Page<Meeting>, StoreError> {
    let narrow = |sql: Sql| {
        sql.filter("deleted_at IS NULL", [])
            .filter_some("owner_id = ?", owner)
            .filter_some("owner_id = ?", filter.owner_id)
            .filter_some("customer_id = ?", filter.customer_id)
            .filter_some("met_at >= ?", filter.from)
            .filter_some("met_at < ?", filter.to)
    };
    let key = |row: &Meeting| LATEST_FIRST.keyset(row.met_at, row.id);
    paging::page(db, &MEETINGS, request, &LATEST_FIRST, narrow, key).await
}

/// Statistics: live meetings that took place from `from` to `to`.
pub async fn stats(
    db: &Db,
    owner: Option<Id>,
    from: Timestamp,
    to: Timestamp,
) -> Result<MeetingCounts, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        owner_id: Id,
        meetings: i64,
    }
    static COUNTS: Table = Table {
        name: "counts",
        columns: &[("owner_id", Kind::Id), ("meetings", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "meetings",
    };
    let grouped = Sql::new("SELECT owner_id, count(*) AS meetings FROM meetings")
        .filter("deleted_at IS NULL", [])
        .filter("met_at >= ?", [from.into()])
        .filter("met_at < ?", [to.into()])
        .filter_some("owner_id = ?", owner)
        .push(" GROUP BY owner_id", []);
    let rows: Vec<Row> = db.rows_of(&COUNTS, grouped).await?;
    let by_owner: BTreeMap<Id, i64> = rows.into_iter().map(|row| (row.owner_id, row.meetings)).collect();
    Ok(MeetingCounts { total: by_owner.values().sum(), by_owner })
}
