//! The database: SQLite or PostgreSQL behind one small surface of reads, and the transaction of the journal.

use serde::de::DeserializeOwned;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tokio::runtime::Handle;

use crate::connect::{open_postgres, open_sqlite};
use crate::readers::Readers;
use crate::settings::{DatabaseSettings, Schema};
use crate::sql::Sql;
use crate::table::{Dialect, Table};
use kernel::error::Error;
use kernel::event::Catalogue;
use kernel::failpoint;
use kernel::ids::Id;

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or is too busy; nothing is known to be wrong with the request.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A unique index holds such a value already.
    #[error("a row with this value exists already ({0})")]
    Duplicate(String),
    /// Anything else: a defect here or a damaged row.
    #[error("the database refused: {0}")]
    Failed(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => {
                Self::Duplicate(db.constraint().unwrap_or(db.message()).to_owned())
            }
            sqlx::Error::Database(db) if is_passing(db.code().as_deref().unwrap_or_default()) => {
                Self::Unavailable(error.to_string())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// PostgreSQL: classes 08 (connection), 40 (rollback), 53 (resources), 55 (lock), 57 (operator);
/// SQLite: 5 BUSY, 6 LOCKED, 10 IOERR, 13 FULL (the low byte of the extended code).
fn is_passing(code: &str) -> bool {
    let postgres = code.len() == 5
        && ["08", "25P03", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class));
    let sqlite =
        code.len() < 5 && code.parse::<u32>().is_ok_and(|code| [5, 6, 10, 13].contains(&(code & 0xff)));
    postgres || sqlite
}

/// The cause goes with the error, to be logged once by whoever answers the request or gives up.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable().with_cause(error),
            StoreError::Duplicate(_) | StoreError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(format!("a stored row can't be read: {error}"))
    }
}

#[derive(Clone)]
enum Pools {
    // One writer, as SQLite has it; readers beside it see the last commit (WAL).
    Sqlite { writer: SqlitePool, readers: Readers },
    Postgres(PgPool),
}

/// A handle to the database; clones share its pools.
#[derive(Clone)]
pub struct Db {
    pools: Pools,
    schema: Schema,
    // PostgreSQL sockets belong to the runtime that made them, and a dropped future must not cut a
    // transaction in half: every statement there runs in a task of this long-lived runtime.
    runtime: Handle,
}

/// What promises rest on (SPEC §8.1), under the names of either database.
pub const SETTINGS: [&str; 7] = [
    "synchronous",
    "journal_mode",
    "synchronous_commit",
    "TimeZone",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "statement_timeout",
];

impl Db {
    /// Connects; SQLite files (and their folder) are made if missing. Call on the long-lived runtime.
    ///
    /// # Errors
    /// `Unavailable` if nothing answers there, `Failed` for a URL that is neither `sqlite:` nor `postgres:`.
    pub async fn connect(settings: &DatabaseSettings, schema: Schema) -> Result<Self, StoreError> {
        let url = settings.url.as_str();
        let pools = match Dialect::of(url) {
            Some(Dialect::Sqlite) => {
                let (writer, readers) = open_sqlite(settings).await?;
                Pools::Sqlite { writer, readers }
            }
            Some(Dialect::Postgres) => Pools::Postgres(open_postgres(settings).await?),
            None => {
                return Err(StoreError::Failed("the URL starts with neither sqlite: nor postgres:".into()));
            }
        };
        Ok(Self { pools, schema, runtime: Handle::current() })
    }

    /// Brings the schema up to date; returns the names of the migrations that it holds then.
    ///
    /// # Errors
    /// When a migration fails or the schema is newer than this binary.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let (migrator, ran) = match &self.pools {
            Pools::Sqlite { writer, .. } => (self.schema.sqlite, self.schema.sqlite.run(writer).await),
            Pools::Postgres(pool) => (self.schema.postgres, self.schema.postgres.run(pool).await),
        };
        ran.map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(migrator
            .iter()
            .map(|migration| format!("{:04} {}", migration.version, migration.description))
            .collect())
    }

    /// The types of event that the program knows.
    pub fn catalogue(&self) -> Catalogue {
        self.schema.events
    }

    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The rows of `table` that `tail` leaves (joins, conditions, order, limit).
    pub async fn rows<T: DeserializeOwned>(&self, table: &Table, tail: Sql) -> Result<Vec<T>, StoreError> {
        self.rows_of(table, tail.wrapped(|tail| table.select(tail))).await
    }

    /// The rows of a query of its own, whose columns `shape` describes.
    pub async fn rows_of<T: DeserializeOwned>(
        &self,
        shape: &Table,
        query: Sql,
    ) -> Result<Vec<T>, StoreError> {
        let sql = query.wrapped(|query| shape.collect(self.dialect(), query));
        let text = self.text(sql).await?.unwrap_or_else(|| "[]".to_owned());
        Ok(serde_json::from_str(&text)?)
    }

    /// The row with this id.
    pub async fn row<T: DeserializeOwned>(&self, table: &Table, id: Id) -> Result<Option<T>, StoreError> {
        if failpoint::fails("db.row", |text| id.to_string() == text) {
            return Err(StoreError::Failed("failpoint db.row".into()));
        }
        let rows = self.rows(table, Sql::default().filter("id = ?", [id.into()])).await?;
        Ok(rows.into_iter().next())
    }

    /// The first column of the first row, as text.
    pub async fn text(&self, sql: Sql) -> Result<Option<String>, StoreError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut reader = readers.lend().await?;
                let text = sqlite_text(&mut reader.connection, &sql).await;
                reader.done();
                Ok(text?)
            }
            Pools::Postgres(pool) => {
                let pool = pool.clone();
                let task = self.runtime.spawn(async move { postgres_text(&pool, &sql, true).await });
                Ok(task.await.map_err(|_| StoreError::Unavailable("a query was cut off".into()))??)
            }
        }
    }

    /// The number that a statement answers as text (`SELECT CAST(count(*) AS TEXT) …`); zero without a row.
    pub async fn number(&self, sql: Sql) -> Result<i64, StoreError> {
        let text = self.text(sql).await?.unwrap_or_else(|| "0".to_owned());
        text.parse().map_err(|_| StoreError::Failed(format!("not a number: {text}")))
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// `Unavailable` if not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.text(Sql::new("SELECT CAST(1 AS TEXT)")).await.map(drop)
    }

    /// Runs a statement outside the journal (housekeeping only); returns how many rows it touched.
    ///
    /// # Errors
    /// The database's; nothing has changed then.
    pub async fn execute(&self, sql: Sql) -> Result<u64, StoreError> {
        let db = self.clone();
        let task = self.runtime.spawn(async move {
            let mut tx = db.begin().await?;
            let touched = tx.execute(&sql).await?;
            tx.commit().await.map(|()| touched)
        });
        task.await.map_err(|_| StoreError::Unavailable("a statement was cut off".into()))?
    }

    /// One of [`SETTINGS`] on the connection that commits, as the database words it.
    pub async fn setting(&self, name: &'static str) -> Result<String, StoreError> {
        if !SETTINGS.contains(&name) {
            return Err(StoreError::Failed(format!("{name} is not among the settings")));
        }
        let sql = match self.dialect() {
            Dialect::Sqlite => Sql::new(format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}")),
            Dialect::Postgres => Sql::new("SELECT current_setting($1)").with(name),
        };
        let db = self.clone();
        let task = self.runtime.spawn(async move { db.begin().await?.text(&sql).await });
        let text = task.await.map_err(|_| StoreError::Unavailable("a query was cut off".into()))??;
        text.ok_or_else(|| StoreError::Failed(format!("there is no setting {name}")))
    }

    /// Begins the transaction of a commit. Run it to its end in a task that nobody drops.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// The runtime that outlives every actor.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Closes every connection; SQLite folds its write-ahead log back.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// An open transaction.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// The first column of the first row, as text.
    pub async fn text(&mut self, sql: &Sql) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => sqlite_text(&mut **tx, sql).await?,
            Self::Postgres(tx) => postgres_text(&mut **tx, sql, true).await?,
        })
    }

    /// The same by a plan made for this time alone. PostgreSQL keeps the plan of a statement that is known to it; one
    /// made while the table was empty may look for a value through all rows.
    pub async fn text_planned_anew(&mut self, sql: &Sql) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => sqlite_text(&mut **tx, sql).await?,
            Self::Postgres(tx) => postgres_text(&mut **tx, sql, false).await?,
        })
    }

    /// Runs a statement; returns how many rows it touched.
    pub async fn execute(&mut self, sql: &Sql) -> Result<u64, StoreError> {
        let text = AssertSqlSafe(sql.text());
        Ok(match self {
            Self::Sqlite(tx) => {
                sqlx::query_with(text, sql.sqlite()?).execute(&mut **tx).await?.rows_affected()
            }
            Self::Postgres(tx) => {
                sqlx::query_with(text, sql.postgres()?).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

async fn sqlite_text<'c>(
    on: impl sqlx::Executor<'c, Database = Sqlite>,
    sql: &Sql,
) -> Result<Option<String>, sqlx::Error> {
    let query =
        sqlx::query_scalar_with::<Sqlite, Option<String>, _>(AssertSqlSafe(sql.text()), sql.sqlite()?);
    Ok(query.fetch_optional(on).await?.flatten())
}

async fn postgres_text<'c>(
    on: impl sqlx::Executor<'c, Database = Postgres>,
    sql: &Sql,
    keep_plan: bool,
) -> Result<Option<String>, sqlx::Error> {
    let query =
        sqlx::query_scalar_with::<Postgres, Option<String>, _>(AssertSqlSafe(sql.text()), sql.postgres()?);
    Ok(query.persistent(keep_plan).fetch_optional(on).await?.flatten())
}
