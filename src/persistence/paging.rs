//! One keyset query for every list.

use serde::de::DeserializeOwned;

use super::db::{Db, StoreError};
use super::sql::{Arg, Sql};
use super::table::{Kind, Table};
use crate::actors::page::{Keyset, Page, PageRequest};
use crate::clock::Timestamp;
use crate::ids::Id;

/// The order of a list; ties are broken by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// As `?sort=` names it.
    pub name: &'static str,
    pub column: &'static str,
    pub kind: Kind,
    pub descending: bool,
}

impl Sort {
    pub const fn time(name: &'static str, column: &'static str, descending: bool) -> Self {
        Self { name, column, kind: Kind::Time, descending }
    }

    pub const fn text(name: &'static str, column: &'static str, descending: bool) -> Self {
        Self { name, column, kind: Kind::Text, descending }
    }

    /// The cursor of a row with this value in the sort's column.
    pub fn keyset(&self, value: impl ToString, id: Id) -> Keyset {
        Keyset { sort: self.name.to_owned(), value: value.to_string(), id }
    }

    /// Whether a cursor was made for this order.
    pub fn fits(&self, keyset: &Keyset) -> bool {
        keyset.sort == self.name && (self.kind != Kind::Time || Timestamp::parse(&keyset.value).is_some())
    }

    fn after(&self, sql: Sql, keyset: &Keyset) -> Sql {
        let value: Arg = match (self.kind, Timestamp::parse(&keyset.value)) {
            (Kind::Time, Some(time)) => time.into(),
            _ => keyset.value.as_str().into(),
        };
        let than = if self.descending { '<' } else { '>' };
        sql.filter(&format!("({}, id) {than} (?, ?)", self.column), [value, keyset.id.into()])
    }

    fn order(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        format!(" ORDER BY {} {direction}, id {direction}", self.column)
    }
}

/// The page of `table` that `request` asks for, narrowed by `filter`, with `key` reading a row's cursor.
pub async fn page<T: DeserializeOwned>(
    db: &Db,
    table: &Table,
    request: &PageRequest,
    sort: &Sort,
    filter: impl Fn(Sql) -> Sql,
    key: impl Fn(&T) -> Keyset,
) -> Result<Page<T>, StoreError> {
    let mut tail = filter(Sql::default());
    if let Some(after) = &request.after {
        tail = sort.after(tail, after);
    }
    let rows = db.rows(table, tail.push(&sort.order(), []).limit(request.limit + 1)).await?;
    let total = if request.count {
        let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", table.name));
        Some(db.number(filter(count)).await?)
    } else {
        None
    };
    Ok(Page::cut(rows, request.limit, key, total))
}
