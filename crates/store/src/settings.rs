//! Which database to open, with which schema.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use kernel::event::Catalogue;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;

use crate::table::Dialect;

/// How long a statement waits for a lock that another process or node holds.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// What to do about a SQLite file that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Make it, and its folder.
    Create,
    Refuse,
}

/// Where the database is, and how many connections read from it.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// The number of connections for reading; the journal has one more.
    pub pool_size: u32,
}

impl DatabaseSettings {
    /// The SQLite file, which may be missing; `None` for PostgreSQL and for a database in memory.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let is_in_memory = self.url.contains(":memory:") || self.url.contains("mode=memory");
        if is_in_memory || Dialect::of(&self.url) != Some(Dialect::Sqlite) {
            return None;
        }
        Some(SqliteConnectOptions::from_str(&self.url).ok()?.get_filename().to_path_buf())
    }
}

/// The schema of the program: its migrations for each database, and the types of its events.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    pub sqlite: &'static Migrator,
    pub postgres: &'static Migrator,
    pub events: Catalogue,
}

impl Schema {
    /// The migrations for this kind of database.
    pub fn migrator(&self, dialect: Dialect) -> &'static Migrator {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    /// The versions of the migrations for this kind of database.
    pub fn versions(&self, dialect: Dialect) -> Vec<i64> {
        self.migrator(dialect).iter().map(|migration| migration.version).collect()
    }
}
