//! Which database to open, with which schema.

use std::time::Duration;

use kernel::event::Catalogue;
use sqlx::migrate::Migrator;

/// How long a statement waits for a lock that another process or node holds.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the database is, and how many connections read from it.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// The number of connections for reading; the journal has one more.
    pub pool_size: u32,
}

/// The schema of the program: its migrations for each database, and the types of its events.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    pub sqlite: &'static Migrator,
    pub postgres: &'static Migrator,
    pub events: Catalogue,
}
