//! Sagas.

use domain::saga::messages::NEWEST_FIRST;
use domain::saga::record::Saga;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

pub static SAGAS: Table = Table {
    name: "sagas",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("kind", Kind::Text),
        ("subject_id", Kind::Id),
        ("status", Kind::Text),
        ("started_by", Kind::Id),
        ("started_at", Kind::Time),
        ("finished_at", Kind::Time),
        ("steps", Kind::Json),
        ("bulk", Kind::Json),
        ("undoes", Kind::Id),
        ("undone_by", Kind::Id),
        ("undo_until", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The saga with this id.
pub async fn find(db: &Db, id: Id) -> Result<Option<Saga>, StoreError> {
    db.row(&SAGAS, id).await
}

/// Sagas, newest first; with `owner`, that user's alone.
pub async fn list(db: &Db, owner: Option<Id>, request: &PageRequest) -> Result<Page<Saga>, StoreError> {
    let narrow = |sql: Sql| sql.filter_some("started_by = ?", owner);
    let key = |row: &Saga| NEWEST_FIRST.keyset(row.started_at, row.id);
    paging::page(db, &SAGAS, request, &NEWEST_FIRST, narrow, key).await
}
