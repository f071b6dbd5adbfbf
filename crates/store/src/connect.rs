//! Opens the two databases with the settings that SPEC §8.1 requires.

use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::error::StoreError;
use crate::files;
use crate::postgres::Connections;
use crate::readers::Readers;
use crate::settings::{DatabaseSettings, LOCK_TIMEOUT, Missing};
use crate::writer::Writer;

/// How a SQLite file is opened.
pub(crate) fn sqlite_options(
    settings: &DatabaseSettings,
    missing: Missing,
) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(&settings.url)?
        .create_if_missing(missing == Missing::Create)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(LOCK_TIMEOUT)
        .statement_cache_capacity(256)
        // Checkpoints are made beside the writer.
        .pragma("wal_autocheckpoint", "0")
        .pragma("cache_size", "-8000")
        // A statement is a whole batch: its text and its time would not help a reader of the log.
        .disable_statement_logging();
    Ok(options)
}

/// Opens the writer and the readers of a SQLite file.
pub(crate) async fn open_sqlite(
    settings: &DatabaseSettings,
    missing: Missing,
) -> Result<(Writer, Readers), StoreError> {
    let mut options = sqlite_options(settings, missing)?;
    match missing {
        Missing::Create => {
            // Settings of the file itself, which another program's file must not get.
            options = options.journal_mode(SqliteJournalMode::Wal).auto_vacuum(SqliteAutoVacuum::None);
            files::prepare(options.get_filename())?;
        }
        Missing::Refuse => {
            let file = settings.sqlite_file().filter(|file| !file.exists());
            if let Some(file) = file {
                return Err(StoreError::Missing(file));
            }
        }
    }
    let writer = Writer::open(options.clone()).await?;
    let readers = Readers::new(options.pragma("query_only", "on"), settings.pool_size);
    Ok((writer, readers))
}

/// How a connection to PostgreSQL is opened.
pub(crate) fn postgres_options(settings: &DatabaseSettings) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(&settings.url)?
        .application_name("kizuna")
        .statement_cache_capacity(256)
        .options([
            ("TimeZone", "UTC"),
            ("synchronous_commit", "on"),
            // A node that stops inside a transaction holds the partitions' rows for less time than others wait for
            // them.
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "3s"),
            ("statement_timeout", "30s"),
            // A statement is planned once per connection, often while a table is still empty: such a plan would scan
            // the whole table for as long as the connection lives. Every statement here has a key or an index to use.
            ("enable_seqscan", "off"),
            // Compiling costs per plan and gains per row, and there are few rows here.
            ("jit", "off"),
        ])
        .disable_statement_logging();
    Ok(options)
}

/// Opens the connections to a PostgreSQL database.
pub(crate) async fn open_postgres(settings: &DatabaseSettings) -> Result<Connections, StoreError> {
    Connections::open(postgres_options(settings)?, settings.pool_size + 1).await
}
