//! The one connection that writes a SQLite file.
//!
//! This replaces sqlx's pool, whose transactions keep a count of their depth. SQLite itself ends a transaction after some
//! errors (a full disk, an I/O error, `RAISE(ROLLBACK)`); the count is wrong from then on, and the pool would lend the
//! connection again and again, each time in vain. Here a connection is kept only if its transaction certainly ended as it
//! was to end. Otherwise it is closed, whatever the error was, and the next transaction opens another.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Either, Executor, Row, Sqlite};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::checkpoints::{self, Checkpoints};
use crate::error::{CommitFailure, StoreError};
use crate::settings::LOCK_TIMEOUT;
use crate::sql::Sql;

/// Primary codes of errors after which the connection is as it was: ERROR, BUSY, TOOBIG, CONSTRAINT, MISMATCH.
const REFUSALS: [u32; 5] = [1, 5, 18, 19, 20];

/// The writer of a file; clones share it.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    /// One: SQLite has one writer.
    places: Arc<Semaphore>,
    idle: Mutex<Option<SqliteConnection>>,
    /// `None` when all is closed.
    checkpoints: Mutex<Option<Checkpoints>>,
    runtime: Handle,
}

impl Writer {
    /// Opens the connection. Call on the long-lived runtime.
    pub async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let idle = Mutex::new(Some(options.connect().await?));
        let places = Arc::new(Semaphore::new(1));
        let checkpoints = Mutex::new(Some(Checkpoints::start(options.clone(), places.clone())));
        Ok(Self(Arc::new(Inner { options, places, idle, checkpoints, runtime: Handle::current() })))
    }

    /// A transaction, which begins with its first statement, and is rolled back if it is dropped before its commit.
    ///
    /// # Errors
    /// `Unavailable` if the transactions before it do not end in time, or all is closed.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(Transaction { lent: Some(self.lend().await?), has_begun: false, rows: 0 })
    }

    /// Applies migrations. A new file has all of them or none.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<Result<(), MigrateError>, StoreError> {
        let mut lent = self.lend().await?;
        let done = run_migrations(migrator, &mut lent.connection).await;
        if done.is_ok() {
            self.committed(checkpoints::ROWS);
            lent.keep()
        } else {
            lent.close().await
        }
        Ok(done)
    }

    async fn lend(&self) -> Result<Lent, StoreError> {
        let place = timeout(LOCK_TIMEOUT, self.0.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| StoreError::Unavailable("the writer did not come free".into()))?;
        let place = place.map_err(|_| StoreError::Unavailable("the database is closed".into()))?;
        let idle = self.0.idle.lock().expect("no panic under this lock").take();
        let connection = match idle {
            Some(connection) => connection,
            None => self.0.options.connect().await?,
        };
        Ok(Lent { connection, is_sound: true, writer: self.clone(), _place: place })
    }

    fn committed(&self, rows: u64) {
        if let Some(checkpoints) = &*self.0.checkpoints.lock().expect("no panic under this lock") {
            checkpoints.committed(rows);
        }
    }

    /// Waits for the transaction under way, and closes the connection; SQLite checkpoints its write-ahead log.
    pub async fn close(&self) {
        let _ = timeout(LOCK_TIMEOUT, self.0.places.acquire()).await;
        self.0.places.close();
        let checkpoints = self.0.checkpoints.lock().expect("no panic under this lock").take();
        if let Some(checkpoints) = checkpoints {
            checkpoints.end().await;
        }
        let idle = self.0.idle.lock().expect("no panic under this lock").take();
        if let Some(connection) = idle {
            let _ = connection.close().await;
        }
    }
}

/// Runs migrations: on a new file in one transaction, because each of its own would take three fsyncs.
async fn run_migrations(migrator: &Migrator, on: &mut SqliteConnection) -> Result<(), MigrateError> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut *on).await?;
    if tables > 0 {
        return migrator.run_direct(None, on, false).await;
    }
    let mut together = on.begin_with(BEGIN).await?;
    migrator.run_direct(None, &mut *together, false).await?;
    Ok(together.commit().await?)
}

/// The connection while it is lent.
struct Lent {
    connection: SqliteConnection,
    /// Whether the last statement ended, and the connection may be used again.
    is_sound: bool,
    writer: Writer,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    fn keep(self) {
        *self.writer.0.idle.lock().expect("no panic under this lock") = Some(self.connection);
    }

    /// Closes the connection before another may write: an open transaction of it would hold the file.
    async fn close(self) {
        if timeout(LOCK_TIMEOUT, self.connection.close()).await.is_err() {
            tracing::warn!("a connection to the database that failed does not close");
        }
    }

    /// Rolls back. A connection that has nothing to roll back any more is closed, as one that failed is.
    async fn roll_back(mut self) {
        let is_known = self.is_sound && {
            let ended = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            ended.is_ok()
        };
        if is_known { self.keep() } else { self.close().await }
    }
}

const BEGIN: &str = "BEGIN IMMEDIATE";
const BEGIN_FIRST: &str = "BEGIN IMMEDIATE;\n";
const COMMIT: &str = "COMMIT";

/// An open transaction. Each call to SQLite's thread costs two thread hops, so that BEGIN goes with the first reading, and
/// COMMIT with the last writing.
pub struct Transaction {
    lent: Option<Lent>,
    has_begun: bool,
    /// Rows written.
    rows: u64,
}

impl Transaction {
    /// The first column of the first row, as text.
    pub async fn text(&mut self, sql: &Sql) -> Result<Option<String>, StoreError> {
        let first = if self.has_begun { "" } else { BEGIN_FIRST };
        self.has_begun = true;
        let lent = self.lent();
        lent.is_sound = false;
        let done = text_after(first, &mut lent.connection, sql).await;
        lent.is_sound = done.as_ref().err().is_none_or(is_refusal);
        Ok(done?)
    }

    /// Runs a statement; returns how many rows it touched.
    pub async fn execute(&mut self, sql: &Sql) -> Result<u64, StoreError> {
        if !self.has_begun {
            self.has_begun = true;
            self.run(&Sql::new(BEGIN)).await?;
        }
        let rows = self.run(sql).await?;
        self.rows += rows;
        Ok(rows)
    }

    async fn run(&mut self, sql: &Sql) -> Result<u64, StoreError> {
        let lent = self.lent();
        lent.is_sound = false;
        let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(sql.text()), sql.sqlite()?);
        let done = query.execute(&mut lent.connection).await;
        lent.is_sound = done.as_ref().err().is_none_or(is_refusal);
        Ok(done?.rows_affected())
    }

    /// Runs the statements of `sql`, of which there are `statements`, and commits.
    ///
    /// # Errors
    /// Says whether COMMIT was reached.
    pub async fn execute_and_commit(mut self, sql: Sql, statements: usize) -> Result<(), CommitFailure> {
        if !self.has_begun {
            self.has_begun = true;
            self.run(&Sql::new(BEGIN)).await.map_err(CommitFailure::Before)?;
        }
        let sql = sql.wrapped(|sql| format!("{sql};\n{COMMIT}"));
        let arguments = sql.sqlite().map_err(|error| CommitFailure::Before(error.into()))?;
        let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(sql.text()), arguments);
        let lent = self.lent();
        lent.is_sound = false;
        let (mut ended, mut rows) = (0, 0);
        let mut results = (&mut lent.connection).fetch_many(query);
        let failed = loop {
            match results.next().await {
                None => break None,
                Some(Err(error)) => break Some(error),
                // sqlx says of COMMIT that it touched as many rows as the statement before it.
                Some(Ok(Either::Left(done))) if ended < statements => {
                    ended += 1;
                    rows += done.rows_affected();
                }
                Some(Ok(_)) => {}
            }
        };
        drop(results);
        lent.is_sound = failed.as_ref().is_none_or(is_refusal);
        match failed {
            None => {
                self.rows += rows;
                self.end();
                Ok(())
            }
            Some(error) if ended < statements => Err(CommitFailure::Before(error.into())),
            Some(error) => Err(CommitFailure::AtCommit(error.into())),
        }
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.has_begun {
            self.run(&Sql::new(COMMIT)).await?;
        }
        self.end();
        Ok(())
    }

    /// After the transaction was committed, or has not begun.
    fn end(&mut self) {
        if let Some(lent) = self.lent.take() {
            lent.writer.committed(self.rows);
            lent.keep();
        }
    }

    fn lent(&mut self) -> &mut Lent {
        self.lent.as_mut().expect("it is open until its commit")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        match self.lent.take() {
            Some(lent) if self.has_begun => {
                let runtime = lent.writer.0.runtime.clone();
                runtime.spawn(lent.roll_back());
            }
            Some(lent) => lent.keep(),
            None => {}
        }
    }
}

/// The first column of the first row, as text.
pub(crate) async fn text(on: &mut SqliteConnection, sql: &Sql) -> Result<Option<String>, sqlx::Error> {
    text_after("", on, sql).await
}

/// The first column of the first row, which holds bytes.
pub(crate) async fn bytes(on: &mut SqliteConnection, sql: &Sql) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let text = AssertSqlSafe(sql.text().to_owned());
    let query = sqlx::query_scalar_with::<Sqlite, Option<Vec<u8>>, _>(text, sql.sqlite()?);
    Ok(query.fetch_optional(on).await?.flatten())
}

/// The first column of the first row, as text, after the statement `first`, which has no rows.
async fn text_after(
    first: &str,
    on: &mut SqliteConnection,
    sql: &Sql,
) -> Result<Option<String>, sqlx::Error> {
    let text = AssertSqlSafe(format!("{first}{}", sql.text()));
    let query = sqlx::query_scalar_with::<Sqlite, Option<String>, _>(text, sql.sqlite()?);
    Ok(query.fetch_optional(on).await?.flatten())
}

/// The steps by which SQLite would carry out a query.
pub(crate) async fn plan(on: &mut SqliteConnection, sql: &Sql) -> Result<Vec<String>, sqlx::Error> {
    let text = format!("EXPLAIN QUERY PLAN {}", sql.text());
    let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(text), sql.sqlite()?);
    let steps = query.persistent(false).fetch_all(on).await?;
    steps.iter().map(|step| step.try_get("detail")).collect()
}

/// Whether SQLite only refused the statement.
fn is_refusal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| REFUSALS.contains(&(code & 0xff)))
}
