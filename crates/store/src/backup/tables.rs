//! The SQL that reads and writes the rows of any table. Tables are found in the database, because a backup may have an older
//! schema than the program.

use serde::Deserialize;

use crate::backup::{BackupError, Contents};
use crate::sql::Sql;
use crate::table::Dialect;

/// The table of the migrations, which is in the header of a backup.
pub(super) const MIGRATIONS: &str = "_sqlx_migrations";
/// A database that has this table is not restored to the end.
pub(crate) const UNFINISHED: &str = "unfinished_restore";

/// A table of the database and its columns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Layout {
    pub name: String,
    /// Name and type.
    pub columns: Vec<(String, String)>,
}

/// A query for all tables, as JSON for [`Layout`]. Views, indexes of texts and computed columns are not among them.
pub(super) fn layouts(dialect: Dialect) -> Sql {
    Sql::new(match dialect {
        Dialect::Sqlite => {
            "SELECT json_group_array(json_object('name', t.name, 'columns', ( \
                SELECT json_group_array(json_array(c.name, c.type)) FROM pragma_table_xinfo(t.name) AS c WHERE c.hidden = 0 \
             ))) FROM (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name) AS t"
        }
        Dialect::Postgres => {
            "SELECT CAST(coalesce(json_agg(json_build_object('name', t.relname, 'columns', ( \
                SELECT coalesce(json_agg(json_build_array(a.attname, format_type(a.atttypid, NULL)) ORDER BY a.attnum), '[]') \
                FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
             )) ORDER BY t.relname), '[]') AS TEXT) FROM pg_class AS t WHERE t.relkind = 'r' \
             AND t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
        }
    })
}

/// The tables of the answer to [`layouts`].
pub(super) fn parse_layouts(answer: Option<String>) -> Result<Vec<Layout>, BackupError> {
    Ok(serde_json::from_str(answer.as_deref().unwrap_or("[]"))?)
}

/// The versions of the migrations that the database has, as JSON.
pub(super) fn versions(dialect: Dialect) -> Sql {
    Sql::new(match dialect {
        Dialect::Sqlite => {
            "SELECT json_group_array(version) FROM (SELECT version FROM _sqlx_migrations ORDER BY version)"
        }
        Dialect::Postgres => {
            "SELECT CAST(coalesce(json_agg(version ORDER BY version), '[]') AS TEXT) FROM _sqlx_migrations"
        }
    })
}

impl Contents {
    /// Whether a backup has this table.
    pub(super) fn has(&self, table: &str) -> bool {
        table != MIGRATIONS && table != UNFINISHED && !self.left_out.contains(&table)
    }
}

impl Layout {
    /// A query for all rows, each as a JSON array.
    pub fn select(&self, dialect: Dialect) -> Result<String, BackupError> {
        let values = self.columns.iter().map(|(name, kind)| {
            let name = format!("\"{name}\"");
            Ok(match (dialect, kind.as_str()) {
                (Dialect::Sqlite, "TEXT" | "INTEGER" | "INT") => name,
                (Dialect::Sqlite, "BLOB") => format!("lower(hex({name}))"),
                (Dialect::Postgres, "bigint" | "integer" | "smallint" | "text") => name,
                (Dialect::Postgres, "uuid" | "json" | "jsonb") => format!("{name}::text"),
                (Dialect::Postgres, "boolean") => format!("{name}::int"),
                (Dialect::Postgres, "bytea") => format!("encode({name}, 'hex')"),
                (Dialect::Postgres, "timestamp with time zone") => {
                    format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
                }
                _ => return Err(self.unfit()),
            })
        });
        let values = values.collect::<Result<Vec<_>, _>>()?.join(", ");
        Ok(match dialect {
            Dialect::Sqlite => format!("SELECT json_array({values}) FROM \"{}\"", self.name),
            Dialect::Postgres => format!("SELECT json_build_array({values})::text FROM \"{}\"", self.name),
        })
    }

    /// A statement that inserts the rows of its parameter, a JSON array of arrays. `columns`: the names of the values; a name of
    /// `passed_over` may be missing here.
    ///
    /// # Errors
    /// `Unfit` for other columns that are missing on either side.
    pub fn insert(
        &self,
        dialect: Dialect,
        columns: &[String],
        passed_over: &[&str],
    ) -> Result<String, BackupError> {
        let may_miss = |name: &str| passed_over.contains(&format!("{}.{name}", self.name).as_str());
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (place, name) in columns.iter().enumerate() {
            match self.columns.iter().find(|(own, _)| own == name) {
                Some((_, kind)) => {
                    names.push(format!("\"{name}\""));
                    values.push(value(dialect, place, kind).ok_or_else(|| self.unfit())?);
                }
                None if may_miss(name) => {}
                None => return Err(self.unfit()),
            }
        }
        if self.columns.iter().any(|(name, _)| !columns.contains(name) && !may_miss(name)) {
            return Err(self.unfit());
        }
        let (names, values) = (names.join(", "), values.join(", "));
        let rows = match dialect {
            Dialect::Sqlite => "jsonb_each($1)",
            Dialect::Postgres => "json_array_elements($1::json) AS r(value)",
        };
        Ok(format!("INSERT INTO \"{}\" ({names}) SELECT {values} FROM {rows}", self.name))
    }

    fn unfit(&self) -> BackupError {
        BackupError::Unfit(self.name.clone())
    }
}

/// The value at a place of a row, for a column of this type.
fn value(dialect: Dialect, place: usize, kind: &str) -> Option<String> {
    Some(match (dialect, kind) {
        (Dialect::Sqlite, "TEXT" | "INTEGER" | "INT") => format!("value ->> '$[{place}]'"),
        (Dialect::Sqlite, "BLOB") => format!("unhex(value ->> '$[{place}]')"),
        (Dialect::Postgres, "bytea") => format!("decode(value ->> {place}, 'hex')"),
        (Dialect::Postgres, "boolean") => format!("(value ->> {place})::int::boolean"),
        (Dialect::Postgres, "text") => format!("value ->> {place}"),
        (
            Dialect::Postgres,
            "bigint" | "integer" | "smallint" | "uuid" | "json" | "jsonb" | "timestamp with time zone",
        ) => format!("(value ->> {place})::{kind}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let columns = [("id", "TEXT"), ("number", "INTEGER"), ("bytes", "BLOB")];
        let columns = columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec();
        Layout { name: "parts".into(), columns }
    }

    fn insert(columns: &[&str]) -> Result<String, BackupError> {
        let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        layout().insert(Dialect::Sqlite, &columns, &["parts.number", "parts.old"])
    }

    #[test]
    fn rows_are_written_by_the_names_of_their_columns() {
        let wanted = "INSERT INTO \"parts\" (\"bytes\", \"id\") SELECT unhex(value ->> '$[0]'), value ->> '$[2]' FROM jsonb_each($1)";
        assert_eq!(insert(&["bytes", "old", "id"]).expect("columns that fit"), wanted);
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        for columns in [&["bytes"][..], &["bytes", "id", "other"], &["bytes", "id\") --"]] {
            assert!(matches!(insert(columns), Err(BackupError::Unfit(table)) if table == "parts"));
        }
        let mut unknown = layout();
        unknown.columns[0].1 = "REAL".into();
        assert!(unknown.select(Dialect::Sqlite).is_err() && layout().select(Dialect::Sqlite).is_ok());
    }
}
