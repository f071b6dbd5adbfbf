//! The keyset query of every list.
//!
//! An index has the rows of each order, after what the list is filtered by. Where those indexes begin with a column that
//! need not be filtered by, the rows of each of its values are merged: the database reads as many as the page has.
//!
//! A condition that no such index has (a search, say) is first looked for along the order, in so many rows. If they do not
//! fill the page, few rows fulfil it: they are found by an index of the condition, and sorted ([`List::sorted`]).

use serde::de::DeserializeOwned;

use crate::db::{Db, StoreError};
use crate::sql::{Arg, Sql};
use crate::table::{Dialect, Table};
use kernel::clock::Timestamp;
use kernel::page::{Keyset, Page, PageRequest, Sort, SortKind};

/// A column that begins the indexes of a list, and its values.
#[derive(Clone, Copy, Debug)]
pub struct Each {
    pub column: &'static str,
    pub values: &'static [&'static str],
}

impl Each {
    /// The condition that the column has one of its values: true, and for the planner.
    pub fn any(&self) -> String {
        format!("{} IN ('{}')", self.column, self.values.join("', '"))
    }
}

/// A page of a list that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    pub dialect: Dialect,
    pub table: &'static Table,
    pub sort: &'a Sort,
    pub request: &'a PageRequest,
    /// Set if the indexes begin with a column that the list is not filtered by.
    pub each: Option<Each>,
    /// The index for SQLite, which knows nothing of the values: of two that serve a range, it may take the worse.
    pub index: Option<&'static str>,
    /// What [`List::walk`] finds a row by.
    pub key: &'static str,
    /// What else the index has, at its end, so that [`List::walk`] needs not read a row to compare it.
    pub covered: &'static [&'static str],
}

impl List<'_> {
    /// One row more than the page has, in the order in which [`Page::of`] takes them; `filter` adds the conditions.
    pub fn rows(&self, filter: impl Fn(Sql) -> Sql) -> Sql {
        self.end(self.merged(&self.table.read_names(), filter, |sql| self.end(sql)))
    }

    /// As [`List::rows`], but of the first `walked` rows of the order those that `rest` leaves, too. Before a row is read, the
    /// columns of [`List::covered`] must fulfil `covered`. No more rows are read than fill the page.
    pub fn walk(
        &self,
        walked: i64,
        filter: impl Fn(Sql) -> Sql,
        covered: impl Fn(Sql) -> Sql,
        rest: impl Fn(Sql) -> Sql,
    ) -> Sql {
        let (table, columns, key) = (self.table.name, self.table.read_names(), self.key);
        let first = self.first(walked, &self.covered_columns(), filter).within(key, "walked");
        // Both read in the order of the subquery: neither is left another way to join.
        let join = |walked: &str| match self.dialect {
            Dialect::Sqlite => format!(
                "SELECT {columns} FROM ({walked}) AS found CROSS JOIN {table} ON {table}.{key} = found.{key}"
            ),
            Dialect::Postgres => format!(
                "SELECT {columns} FROM ({walked}) AS found CROSS JOIN LATERAL \
                 (SELECT * FROM {table} WHERE {table}.{key} = found.{key} OFFSET 0) AS {table}"
            ),
        };
        rest(covered(first).joined(join)).limit(self.request.limit + 1)
    }

    /// Counts the rows from here on, as far as `walked`.
    pub fn walked(&self, walked: i64, filter: impl Fn(Sql) -> Sql) -> Sql {
        self.first(walked, &self.covered_columns(), filter).within("CAST(count(*) AS TEXT)", "walked")
    }

    fn covered_columns(&self) -> String {
        let mut columns = vec![self.key, "id", self.sort.field];
        columns.extend(self.covered);
        columns.dedup();
        columns.join(", ")
    }

    fn first(&self, rows: i64, columns: &str, filter: impl Fn(Sql) -> Sql) -> Sql {
        let end = |sql: Sql| sql.push(&self.order(), []).push(&format!(" LIMIT {rows}"), []);
        end(self.merged(columns, filter, end))
    }

    /// As [`List::rows`], but of the rows that `found` selects: they are sorted.
    pub fn sorted(&self, found: Sql) -> Sql {
        self.end(self.after(found))
    }

    /// Counts, one by one, the rows of the whole list; `filter` adds the conditions.
    pub fn count(&self, filter: impl Fn(Sql) -> Sql) -> Sql {
        filter(Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", self.from())))
    }

    /// The table, and for SQLite the index.
    fn from(&self) -> String {
        match (self.dialect, self.index) {
            (Dialect::Sqlite, Some(index)) => format!("{} INDEXED BY {index}", self.table.name),
            _ => self.table.name.to_owned(),
        }
    }

    /// Selects `columns` of all ranges. PostgreSQL merges them in their order only if each has an order and an `end`;
    /// SQLite does of its own accord.
    fn merged(&self, columns: &str, filter: impl Fn(Sql) -> Sql, end: impl Fn(Sql) -> Sql) -> Sql {
        let from = format!("SELECT {columns} FROM {} ", self.from());
        let all = self.after(filter(Sql::default()));
        let Some(each) = self.each else {
            return all.wrapped(|tail| format!("{from}{tail}"));
        };
        let range = |value: &&str| {
            let range = all.clone().filter(&format!("{} = '{value}'", each.column), []);
            match self.dialect {
                Dialect::Sqlite => range.wrapped(|tail| format!("{from}{tail}")),
                Dialect::Postgres => end(range).wrapped(|tail| format!("({from}{tail})")),
            }
        };
        // All have the same values in the same places.
        let ranges: Vec<Sql> = each.values.iter().map(range).collect();
        let text = ranges.iter().map(Sql::text).collect::<Vec<_>>().join(" UNION ALL ");
        ranges.into_iter().next().map_or(all, |first| first.wrapped(|_| text))
    }

    /// Adds the order, and the limit of a page.
    fn end(&self, sql: Sql) -> Sql {
        sql.push(&self.order(), []).limit(self.request.limit + 1)
    }

    /// Adds the condition that rows come after the row that the request names, or before it.
    fn after(&self, sql: Sql) -> Sql {
        let PageRequest { after, before, .. } = self.request;
        let Some(keyset) = after.as_ref().or(before.as_ref()) else { return sql };
        let value: Arg = match (self.sort.kind, Timestamp::parse(&keyset.value), keyset.value.parse::<i64>())
        {
            (SortKind::Time, Some(time), _) => time.into(),
            (SortKind::Number, _, Ok(number)) => number.into(),
            _ => keyset.value.as_str().into(),
        };
        let than = if self.is_descending() { '<' } else { '>' };
        sql.filter(&format!("({}, id) {than} (?, ?)", self.sort.field), [value, keyset.id.into()])
    }

    /// What comes before a row is read backwards, beginning beside it.
    const fn is_descending(&self) -> bool {
        self.sort.descending != self.request.before.is_some()
    }

    fn order(&self) -> String {
        let direction = if self.is_descending() { "DESC" } else { "ASC" };
        format!(" ORDER BY {} {direction}, id {direction}", self.sort.field)
    }
}

/// Reads the page of `table` that `request` names, restricted by `filter`; `key` makes a row's cursor.
///
/// # Errors
/// The database's.
pub async fn page<T: DeserializeOwned>(
    db: &Db,
    table: &'static Table,
    request: &PageRequest,
    sort: &Sort,
    filter: impl Fn(Sql) -> Sql,
    key: impl Fn(&T) -> Keyset,
) -> Result<Page<T>, StoreError> {
    let list = List {
        dialect: db.dialect(),
        table,
        sort,
        request,
        each: None,
        index: None,
        key: "id",
        covered: &[],
    };
    let rows = db.rows_of(table, list.rows(&filter)).await?;
    let total = match request.count {
        true => Some(db.number(list.count(filter)).await?),
        false => None,
    };
    Ok(Page::of(rows, request, key, total))
}
