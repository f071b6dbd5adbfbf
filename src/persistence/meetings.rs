//! Meetings.

use crate::persistence::found;
use domain::meeting::messages::MeetingCounts;
use std::collections::BTreeMap;

use crate::persistence::tallies;
use crate::persistence::tallies::{MEETINGS_MET, only};
use domain::meeting::messages::MeetingFilter;
use domain::meeting::record::Meeting;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest, Sort};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging::List;
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
        ("search", Kind::Search),
        ("keyed_version", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// Live meetings with all of `words`; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &MeetingFilter,
    words: &Words,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Page<Meeting>, StoreError> {
    let narrow = |sql: Sql| {
        let sql = sql
            .filter("deleted_at IS NULL", [])
            .filter_some("owner_id = ?", owner)
            .filter_some("owner_id = ?", filter.owner_id)
            .filter_some("customer_id = ?", filter.customer_id)
            .filter_some("met_at >= ?", filter.from)
            .filter_some("met_at < ?", filter.to);
        found::MEETINGS.holding(db.dialect(), sql, owner, words)
    };
    // A customer has few meetings, a user many.
    let index = match (filter.customer_id, owner.or(filter.owner_id)) {
        (Some(_), _) => "meetings_customer",
        (None, Some(_)) => "meetings_owner",
        (None, None) => "meetings_met",
    };
    let (dialect, index) = (db.dialect(), Some(index));
    let list = List { dialect, table: &MEETINGS, sort, request, each: None, index, key: "id", covered: &[] };
    let by_index = filter.customer_id.is_none() && found::MEETINGS.are_few(db, owner, words).await?;
    let found = |columns: &str| if by_index { found::MEETINGS.found(dialect, columns, words) } else { None };
    let rows = match found(&MEETINGS.read_names()) {
        Some(found) => db.rows_of(&MEETINGS, list.sorted(narrow(found))).await?,
        None => db.rows_of(&MEETINGS, list.rows(narrow)).await?,
    };
    let total = match (request.count, filter.customer_id.is_some() || !words.is_empty()) {
        (false, _) => None,
        (true, true) => Some(match found("CAST(count(*) AS TEXT)") {
            Some(found) => db.number(narrow(found)).await?,
            None => db.number(list.count(narrow)).await?,
        }),
        (true, false) => Some(match only(owner, filter.owner_id) {
            Some(owner) => {
                tallies::count(db, &MEETINGS_MET, owner, (filter.from, filter.to), |_| true).await?
            }
            None => 0,
        }),
    };
    let key = |row: &Meeting| sort.keyset(row.met_at, row.id);
    Ok(Page::of(rows, request, key, total))
}

/// Statistics: live meetings that took place from `from` to `to`.
pub async fn stats(
    db: &Db,
    owner: Option<Id>,
    from: Timestamp,
    to: Timestamp,
) -> Result<MeetingCounts, StoreError> {
    let within = (Some(from), Some(to));
    let by_owner: BTreeMap<Id, i64> = match owner {
        None => tallies::by_owner(db, &MEETINGS_MET, within, "-").await?,
        Some(id) => {
            let meetings = tallies::count(db, &MEETINGS_MET, owner, within, |_| true).await?;
            [(id, meetings)].into_iter().filter(|(_, meetings)| *meetings > 0).collect()
        }
    };
    Ok(MeetingCounts { total: by_owner.values().sum(), by_owner })
}
