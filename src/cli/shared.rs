//! What several commands use.

use std::io::Write;

use anyhow::Context as _;
use store::Db;
use store::settings::DatabaseSettings;
use tokio::runtime::Handle;

use crate::config::DatabaseConfig;
use crate::persistence::SCHEMA;

/// How a command ends.
pub type Done = anyhow::Result<()>;

/// Opens the database that the command names; makes a SQLite file that is missing.
///
/// # Errors
/// When it can't be opened.
pub async fn connect(database: DatabaseConfig, db_runtime: &Handle) -> anyhow::Result<Db> {
    let settings = checked(&database)?;
    let opened = db_runtime.spawn(async move { Db::connect(&settings, SCHEMA).await }).await?;
    opened.with_context(|| format!("--database-url {}", database.shown()))
}

/// Opens the database that the command names, which must exist: for commands that have nothing to do on a new one, so that
/// a mistyped path makes no file.
///
/// # Errors
/// When no database exists there, or it cannot be opened.
pub async fn connect_to_existing(database: DatabaseConfig, db_runtime: &Handle) -> anyhow::Result<Db> {
    let settings = checked(&database)?;
    let opened = db_runtime.spawn(async move { Db::connect_to_existing(&settings, SCHEMA).await });
    opened.await?.with_context(|| format!("--database-url {}", database.shown()))
}

fn checked(database: &DatabaseConfig) -> anyhow::Result<DatabaseSettings> {
    database.validate().map_err(anyhow::Error::msg)?;
    Ok(database.settings())
}

/// Reads a password from standard input.
///
/// # Errors
/// When standard input can't be read.
pub fn read_password() -> anyhow::Result<String> {
    // If standard error is closed, nobody needs the prompt.
    let _ = write!(std::io::stderr(), "password: ");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
