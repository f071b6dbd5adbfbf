//! One description of a table gives its SQL on both databases, so that the two can't drift apart.
//!
//! Rows travel as JSON in both directions: a whole batch is one parameter (`json_each` in SQLite,
//! `json_to_recordset` in PostgreSQL) and a whole page is one value. A statement costs a thread hop or a
//! round trip; a row within one costs almost nothing.

use std::fmt::Write;

use kernel::simulation::mutant;

/// Which database a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The name of the system in OpenTelemetry.
    pub fn system(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }

    /// The condition that the first line of `search` holds `?`, for callers who may search by name only.
    pub fn first_line_holds(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(substr(search, 1, instr(search || char(10), char(10)) - 1), ?) > 0",
            Self::Postgres => "strpos(split_part(search, chr(10), 1), ?) > 0",
        }
    }

    /// The dialect of a database URL, by its scheme.
    pub fn of(url: &str) -> Option<Self> {
        match url.split_once(':')?.0 {
            "sqlite" => Some(Self::Sqlite),
            "postgres" | "postgresql" => Some(Self::Postgres),
            _ => None,
        }
    }
}

impl Dialect {
    /// One JSON object of the answers of several queries, by name.
    pub fn object(self, parts: &[(String, String)]) -> String {
        let pairs: Vec<_> = parts.iter().map(|(name, query)| format!("'{name}', ({query})")).collect();
        match self {
            Self::Sqlite => format!("SELECT json_object({})", pairs.join(", ")),
            Self::Postgres => format!("SELECT json_build_object({})::text", pairs.join(", ")),
        }
    }

    /// Joins several statements on different rows into one; their parameters are numbered through.
    pub fn together(self, statements: &[String]) -> String {
        match self {
            Self::Sqlite => statements.join(";\n"),
            Self::Postgres => {
                let named = statements.iter().enumerate().map(|(place, sql)| format!("s{place} AS ({sql})"));
                format!("WITH {} SELECT 1", named.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// A query that turns `?`, a JSON array of texts, into rows.
    pub fn texts(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT value FROM json_each(?)",
            Self::Postgres => "SELECT json_array_elements_text(?::json)",
        }
    }

    /// A query that turns `?`, a JSON array of ids, into rows.
    pub fn ids(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT value FROM json_each(?)",
            Self::Postgres => "SELECT k::uuid FROM json_array_elements_text(?::json) AS k",
        }
    }

    /// A text in a column of JSON, by the names that lead to it; NULL if it is not there.
    pub fn text_in(self, column: &str, path: &[&str]) -> String {
        match self {
            Self::Sqlite => format!("{column} ->> '$.{}'", path.join(".")),
            Self::Postgres => format!("{column} #>> '{{{}}}'", path.join(",")),
        }
    }

    /// The condition that the column `search` contains `?` literally: there is no pattern, so nothing to escape.
    pub fn search_holds(self) -> &'static str {
        match self {
            Self::Sqlite => "instr(search, ?) > 0",
            Self::Postgres => "strpos(search, ?) > 0",
        }
    }
}

/// The type of a column, from which its type in each dialect follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Text,
    Int,
    Time,
    Json,
    /// Text that is searched but never read back.
    Search,
}

impl Kind {
    fn postgres(self) -> &'static str {
        match self {
            Self::Id => "uuid",
            Self::Text | Self::Search => "text",
            Self::Int => "bigint",
            Self::Time => "timestamptz",
            Self::Json => "json",
        }
    }
}

/// What happens when a row with the same key exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The statement fails.
    Fail,
    /// The row is replaced; where the write has a fence, versions were compared before.
    Replace,
    /// The row is replaced if the new `version` is greater: replicas, whose events may come again.
    Newer,
    /// The value of this column is added to the stored one: counters.
    Add(&'static str),
    /// The stored row stays: what happened first.
    Keep,
}

/// A table that the journal writes and queries read. The first column is the primary key.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    pub on_conflict: OnConflict,
    /// The integer column that writes compare.
    pub fence: &'static str,
}

impl Table {
    fn key(&self) -> (&'static str, Kind) {
        self.columns[0]
    }

    fn read_columns(&self) -> impl Iterator<Item = &(&'static str, Kind)> {
        self.columns.iter().filter(|(_, kind)| *kind != Kind::Search)
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Inserts the rows of parameter `place`, a JSON array of objects.
    pub fn put(&self, dialect: Dialect, place: usize) -> String {
        let names = self.names();
        let mut sql = match dialect {
            Dialect::Sqlite => {
                let values = self.columns.iter().map(|(name, kind)| match kind {
                    Kind::Json => format!("value->'$.{name}'"),
                    _ => format!("value->>'$.{name}'"),
                });
                let values = values.collect::<Vec<_>>().join(", ");
                // jsonb_each (SQLite 3.51) returns rows that are not parsed again for each column.
                // WHERE true: without it SQLite reads ON CONFLICT as a join's ON.
                format!(
                    "INSERT INTO {} ({names}) SELECT {values} FROM jsonb_each(${place}) WHERE true",
                    self.name
                )
            }
            Dialect::Postgres => {
                let typed = self.columns.iter().map(|(name, kind)| format!("{name} {}", kind.postgres()));
                let typed = typed.collect::<Vec<_>>().join(", ");
                format!(
                    "INSERT INTO {} ({names}) SELECT {names} FROM json_to_recordset(${place}::json) AS r({typed})",
                    self.name
                )
            }
        };
        self.push_conflict(&mut sql);
        sql
    }

    fn push_conflict(&self, sql: &mut String) {
        let (key, _) = self.key();
        let table = self.name;
        match self.on_conflict {
            OnConflict::Fail => {}
            OnConflict::Keep => {
                let _ = write!(sql, " ON CONFLICT ({key}) DO NOTHING");
            }
            OnConflict::Add(column) => {
                let _ = write!(
                    sql,
                    " ON CONFLICT ({key}) DO UPDATE SET {column} = {table}.{column} + excluded.{column}"
                );
            }
            OnConflict::Replace | OnConflict::Newer => {
                let set = self.columns[1..].iter().map(|(name, _)| format!("{name} = excluded.{name}"));
                let set = set.collect::<Vec<_>>().join(", ");
                let _ = write!(sql, " ON CONFLICT ({key}) DO UPDATE SET {set}");
                if self.on_conflict == OnConflict::Newer {
                    let _ = write!(sql, " WHERE excluded.version > {table}.version");
                }
            }
        }
    }

    /// Deletes the rows whose keys are in parameter `place`, a JSON array.
    pub fn delete(&self, dialect: Dialect, place: usize) -> String {
        format!("DELETE FROM {} WHERE {}", self.name, self.key_in(dialect, place))
    }

    /// Reads `[id, …]`: which rows whose keys are in parameter `place` are not deleted. PostgreSQL locks them.
    pub fn live(&self, dialect: Dialect, place: usize) -> String {
        let (key, _) = self.key();
        let (table, chosen) = (self.name, self.key_in(dialect, place));
        match dialect {
            Dialect::Sqlite => {
                format!("SELECT json_group_array({key}) FROM {table} WHERE {chosen} AND deleted_at IS NULL")
            }
            Dialect::Postgres => format!(
                "SELECT coalesce(json_agg({key}), '[]') FROM (SELECT {key}, deleted_at FROM {table} \
                 WHERE {chosen} ORDER BY {key} FOR UPDATE) AS r WHERE deleted_at IS NULL"
            ),
        }
    }

    /// Reads `[[key, fence], …]` of the rows whose keys are in parameter `place`; PostgreSQL locks them in
    /// the order of keys.
    pub fn fences(&self, dialect: Dialect, place: usize) -> String {
        let (key, _) = self.key();
        let (table, fence, chosen) = (self.name, self.fence, self.key_in(dialect, place));
        match dialect {
            Dialect::Sqlite => {
                format!("SELECT json_group_array(json_array({key}, {fence})) FROM {table} WHERE {chosen}")
            }
            Dialect::Postgres => format!(
                "SELECT coalesce(json_agg(json_build_array({key}, {fence})), '[]') FROM \
                 (SELECT {key}, {fence} FROM {table} WHERE {chosen} ORDER BY {key}{}) AS r",
                if mutant("no-row-lock") { "" } else { " FOR UPDATE" }
            ),
        }
    }

    /// Reads `[[n, [id, …]], …]`: which live rows have the n-th value of parameter `place`, a JSON array of
    /// `{value, owner, except}`, in `column`; ten of each at most.
    pub fn holders(&self, dialect: Dialect, column: &str, place: usize) -> String {
        let table = self.name;
        let found = |value: &str, owner: &str, except: &str| {
            format!(
                "SELECT id FROM {table} WHERE deleted_at IS NULL AND {column} = {value} \
                 AND ({owner} IS NULL OR owner_id = {owner}) AND ({except} IS NULL OR id <> {except}) \
                 ORDER BY id LIMIT 10"
            )
        };
        match dialect {
            Dialect::Sqlite => {
                let found = found("w.value->>'$.value'", "w.value->>'$.owner'", "w.value->>'$.except'");
                format!(
                    "SELECT json_group_array(json_array(w.key, (SELECT json_group_array(id) FROM ({found})))) \
                     FROM json_each(${place}) AS w"
                )
            }
            Dialect::Postgres => {
                let found = found("(w.e->>'value')", "(w.e->>'owner')::uuid", "(w.e->>'except')::uuid");
                format!(
                    "SELECT coalesce(json_agg(json_build_array(w.n - 1, (SELECT coalesce(json_agg(r.id), '[]') FROM ({found}) AS r))), '[]') \
                     FROM json_array_elements(${place}::json) WITH ORDINALITY AS w(e, n)"
                )
            }
        }
    }

    fn key_in(&self, dialect: Dialect, place: usize) -> String {
        let (key, kind) = self.key();
        one_of(dialect, key, kind, place)
    }

    /// The columns that are read, with the table's name.
    pub fn read_names(&self) -> String {
        let table = self.name;
        let columns = self.read_columns().map(|(name, _)| format!("{table}.{name}"));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// Reads the rows that `tail` (joins, conditions, order, limit) selects.
    pub fn select(&self, tail: &str) -> String {
        format!("SELECT {} FROM {} {tail}", self.read_names(), self.name)
    }

    /// Collects the rows of a query with these columns as one JSON array of objects.
    pub fn collect(&self, dialect: Dialect, query: &str) -> String {
        match dialect {
            Dialect::Sqlite => {
                let pairs = self.read_columns().map(|(name, kind)| match kind {
                    Kind::Json => format!("'{name}', json({name})"),
                    _ => format!("'{name}', {name}"),
                });
                let pairs = pairs.collect::<Vec<_>>().join(", ");
                format!("SELECT json_group_array(json_object({pairs})) FROM ({query})")
            }
            Dialect::Postgres => {
                format!("SELECT coalesce(json_agg(row_to_json(r)), '[]')::text FROM ({query}) AS r")
            }
        }
    }
}

/// The condition that a column is one of parameter `place`, a JSON array.
fn one_of(dialect: Dialect, column: &str, kind: Kind, place: usize) -> String {
    match dialect {
        Dialect::Sqlite => format!("{column} IN (SELECT value FROM json_each(${place}))"),
        Dialect::Postgres => {
            let kind = kind.postgres();
            format!(
                "{column} = ANY (ARRAY(SELECT k::{kind} FROM json_array_elements_text(${place}::json) AS k))"
            )
        }
    }
}
