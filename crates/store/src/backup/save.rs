//! Makes a backup beside running servers.
//!
//! One transaction that only reads sees the database at one moment: in SQLite a reader beside the writer (WAL), in PostgreSQL one
//! of `REPEATABLE READ`. No write waits for it.

use std::io::Write;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use crate::backup::file::{BackupWriter, FORMAT, Header, TableLine, kind};
use crate::backup::tables::{layouts, parse_layouts, versions};
use crate::backup::{BackupError, Contents};
use crate::connect::{postgres_options, sqlite_options};
use crate::error::StoreError;
use crate::settings::{DatabaseSettings, Missing, Schema};
use crate::sql::Sql;
use crate::table::Dialect;
use kernel::clock::Timestamp;

/// What was backed up.
#[derive(Clone, Debug)]
pub struct Saved {
    pub header: Header,
    pub tables: usize,
    pub rows: u64,
}

/// Writes a backup of the database to `out`, which is flushed. Call on a runtime with several threads.
///
/// # Errors
/// `NewerDatabase`; those of the database and of the file.
pub async fn save(
    settings: &DatabaseSettings,
    schema: Schema,
    contents: &Contents,
    now: Timestamp,
    out: impl Write,
) -> Result<Saved, BackupError> {
    let mut snapshot = Snapshot::begin(settings).await?;
    let header = snapshot.header(schema, now).await?;
    let layouts = parse_layouts(snapshot.text(layouts(snapshot.dialect())).await?)?;
    let (mut tables, mut writer) = (0, BackupWriter::new(out, &header)?);
    for layout in layouts.iter().filter(|layout| contents.has(&layout.name)) {
        let columns = layout.columns.iter().map(|(name, _)| name.clone()).collect();
        writer.table(&TableLine { table: layout.name.clone(), columns })?;
        tables += 1;
        let mut rows = snapshot.stream(layout.select(snapshot.dialect())?);
        while let Some(row) = rows.next().await {
            writer.row(&row?)?;
        }
    }
    let (mut out, rows) = writer.finish()?;
    out.flush()?;
    snapshot.end().await;
    Ok(Saved { header, tables, rows })
}

/// A connection of its own, in a transaction that sees one moment.
enum Snapshot {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A backup takes as long as it takes.
const BEGIN_POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL enable_seqscan = on";

impl Snapshot {
    async fn begin(settings: &DatabaseSettings) -> Result<Self, BackupError> {
        match Dialect::of(&settings.url) {
            Some(Dialect::Sqlite) => {
                let options = sqlite_options(settings, Missing::Refuse)?.pragma("query_only", "on");
                let mut connection = options.connect().await?;
                // The first read chooses the moment.
                connection.execute("BEGIN").await?;
                Ok(Self::Sqlite(connection))
            }
            Some(Dialect::Postgres) => {
                let mut connection = postgres_options(settings)?.connect().await?;
                connection.execute(BEGIN_POSTGRES).await?;
                Ok(Self::Postgres(connection))
            }
            None => {
                Err(StoreError::Failed("the URL starts with neither sqlite: nor postgres:".into()).into())
            }
        }
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn header(&mut self, schema: Schema, now: Timestamp) -> Result<Header, BackupError> {
        let versions = self.text(versions(self.dialect())).await?.unwrap_or_default();
        let migrations: Vec<i64> = serde_json::from_str(&versions)?;
        let known = schema.versions(self.dialect());
        if let Some(unknown) = migrations.iter().find(|version| !known.contains(version)) {
            return Err(BackupError::NewerDatabase(*unknown));
        }
        let head = "SELECT CAST(last_seq AS TEXT) FROM log_head";
        let log_seq = self.text(Sql::new(head)).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let time = match self.dialect() {
            Dialect::Sqlite => "time",
            Dialect::Postgres => "to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        };
        let last = Sql::new(format!(
            "SELECT {time} FROM events WHERE log_seq IS NOT NULL ORDER BY log_seq DESC LIMIT 1"
        ));
        let last_event_at = self.text(last).await?.as_deref().and_then(Timestamp::parse);
        Ok(Header {
            kizuna_backup: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            database: kind(self.dialect()).to_owned(),
            migrations,
            taken_at: now,
            log_seq,
            last_event_at,
        })
    }

    /// The first column of the first row, as text.
    async fn text(&mut self, sql: Sql) -> Result<Option<String>, BackupError> {
        self.stream(sql.text().to_owned()).next().await.transpose()
    }

    /// The first column of each row. The database sends rows as they are taken.
    fn stream(&mut self, sql: String) -> BoxStream<'_, Result<String, BackupError>> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(connection) => {
                let rows = sql.fetch(connection);
                rows.map(|row| Ok(row?.try_get::<String, _>(0)?)).boxed()
            }
            Self::Postgres(connection) => {
                let rows = sql.fetch(connection);
                rows.map(|row| Ok(row?.try_get::<String, _>(0)?)).boxed()
            }
        }
    }

    /// It only read: however it ends, nothing is lost.
    async fn end(self) {
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}
