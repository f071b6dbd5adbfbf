//! The keyset query of every list.

use serde::de::DeserializeOwned;

use crate::db::{Db, StoreError};
use crate::sql::{Arg, Sql};
use crate::table::Table;
use kernel::clock::Timestamp;
use kernel::page::{Keyset, Page, PageRequest, Sort, SortKind};

fn after(sort: &Sort, sql: Sql, keyset: &Keyset) -> Sql {
    let value: Arg = match (sort.kind, Timestamp::parse(&keyset.value)) {
        (SortKind::Time, Some(time)) => time.into(),
        _ => keyset.value.as_str().into(),
    };
    let than = if sort.descending { '<' } else { '>' };
    sql.filter(&format!("({}, id) {than} (?, ?)", sort.field), [value, keyset.id.into()])
}

fn order(sort: &Sort) -> String {
    let direction = if sort.descending { "DESC" } else { "ASC" };
    format!(" ORDER BY {} {direction}, id {direction}", sort.field)
}

/// Reads the page of `table` that `request` names, restricted by `filter`; `key` makes a row's cursor.
pub async fn page<T: DeserializeOwned>(
    db: &Db,
    table: &Table,
    request: &PageRequest,
    sort: &Sort,
    filter: impl Fn(Sql) -> Sql,
    key: impl Fn(&T) -> Keyset,
) -> Result<Page<T>, StoreError> {
    let mut tail = filter(Sql::default());
    if let Some(keyset) = &request.after {
        tail = after(sort, tail, keyset);
    }
    let rows = db.rows(table, tail.push(&order(sort), []).limit(request.limit + 1)).await?;
    let total = if request.count {
        let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", table.name));
        Some(db.number(filter(count)).await?)
    } else {
        None
    };
    Ok(Page::cut(rows, request.limit, key, total))
}
