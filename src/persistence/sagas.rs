//! Sagas.

use super::db::{Db, StoreError};
use super::paging::{self, Sort};
use super::sql::Sql;
use super::table::{Kind, OnConflict, Table};
use crate::actors::context::Caller;
use crate::actors::page::{Page, PageRequest};
use crate::actors::sagas::domain::Saga;
use crate::ids::Id;

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
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The order of sagas.
pub const NEWEST_FIRST: Sort = Sort::time("-started_at", "started_at", true);

/// The saga with this id.
pub async fn find(db: &Db, id: Id) -> Result<Option<Saga>, StoreError> {
    db.row(&SAGAS, id).await
}

/// Sagas that the caller may see, newest first.
pub async fn list(db: &Db, caller: &Caller, request: &PageRequest) -> Result<Page<Saga>, StoreError> {
    let narrow = |sql: Sql| sql.filter_some("started_by = ?", caller.only_owner());
    let key = |row: &Saga| NEWEST_FIRST.keyset(row.started_at, row.id);
    paging::page(db, &SAGAS, request, &NEWEST_FIRST, narrow, key).await
}
