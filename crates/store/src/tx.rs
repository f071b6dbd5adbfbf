//! An open transaction of either database.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use crate::error::{CommitFailure, StoreError};
#[cfg(feature = "simulation")]
use crate::simulated;
use crate::sql::Sql;
use crate::write_check::WriteCheck;
use crate::{postgres, writer};
use kernel::failpoint;

/// An open transaction, which is rolled back if it is dropped before its commit.
pub struct Tx {
    open: Open,
    writes: Arc<WriteCheck>,
}

pub(crate) enum Open {
    Sqlite(writer::Transaction),
    Postgres(postgres::Transaction),
    #[cfg(feature = "simulation")]
    Simulated(Box<dyn simulated::Transaction>),
}

impl Tx {
    pub(crate) fn new(open: Open, writes: Arc<WriteCheck>) -> Self {
        Self { open, writes }
    }

    /// The first column of the first row, as text.
    pub async fn text(&mut self, sql: &Sql) -> Result<Option<String>, StoreError> {
        self.read(sql, true).await
    }

    /// Like [`Tx::text`], but with a plan made for this call. PostgreSQL keeps the plan of a prepared statement, and
    /// a plan made while the table was empty may scan all rows.
    pub async fn text_planned_anew(&mut self, sql: &Sql) -> Result<Option<String>, StoreError> {
        self.read(sql, false).await
    }

    async fn read(&mut self, sql: &Sql, keep_plan: bool) -> Result<Option<String>, StoreError> {
        let done = match &mut self.open {
            Open::Sqlite(tx) => tx.text(sql).await,
            Open::Postgres(tx) => {
                tx.run(async |connection| postgres_text(connection, sql, keep_plan).await).await
            }
            #[cfg(feature = "simulation")]
            Open::Simulated(tx) => tx.text(sql.into()).await,
        };
        done.inspect_err(|error| self.writes.failed(error))
    }

    /// Runs the statements of `sql`, of which there are `statements`, [joined](crate::table::Dialect::together) to one text, and
    /// commits.
    ///
    /// # Errors
    /// Says whether COMMIT was reached.
    pub(crate) async fn execute_and_commit(
        mut self,
        sql: Sql,
        statements: usize,
    ) -> Result<(), CommitFailure> {
        // SQLite does both at once.
        if statements > 0 && !matches!(self.open, Open::Sqlite(_)) {
            self.execute(&sql).await?;
        }
        failpoint::hit("journal.before_commit");
        let done = match self.open {
            Open::Sqlite(tx) if statements > 0 => tx.execute_and_commit(sql, statements).await,
            Open::Sqlite(tx) => tx.commit().await.map_err(CommitFailure::AtCommit),
            Open::Postgres(tx) => tx.commit().await.map_err(CommitFailure::AtCommit),
            #[cfg(feature = "simulation")]
            Open::Simulated(tx) => tx.commit().await.map_err(CommitFailure::AtCommit),
        };
        match &done {
            Ok(()) => self.writes.committed(),
            Err(CommitFailure::Before(error) | CommitFailure::AtCommit(error)) => self.writes.failed(error),
        }
        done
    }

    /// Runs a statement; returns how many rows it touched.
    pub async fn execute(&mut self, sql: &Sql) -> Result<u64, StoreError> {
        let done = match &mut self.open {
            Open::Sqlite(tx) => tx.execute(sql).await,
            Open::Postgres(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql.text()), sql.postgres()?);
                let done = tx.run(async |connection| query.execute(connection).await).await;
                done.map(|done| done.rows_affected())
            }
            #[cfg(feature = "simulation")]
            Open::Simulated(tx) => tx.execute(sql.into()).await,
        };
        done.inspect_err(|error| self.writes.failed(error))
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        let done = match self.open {
            Open::Sqlite(tx) => tx.commit().await,
            Open::Postgres(tx) => tx.commit().await,
            #[cfg(feature = "simulation")]
            Open::Simulated(tx) => tx.commit().await,
        };
        match &done {
            Ok(()) => self.writes.committed(),
            Err(error) => self.writes.failed(error),
        }
        done
    }
}

/// The first column of the first row, as text; `keep_plan`: whether the plan is kept for the next time.
pub(crate) async fn postgres_text(
    on: &mut PgConnection,
    sql: &Sql,
    keep_plan: bool,
) -> Result<Option<String>, sqlx::Error> {
    let query =
        sqlx::query_scalar_with::<Postgres, Option<String>, _>(AssertSqlSafe(sql.text()), sql.postgres()?);
    Ok(query.persistent(keep_plan).fetch_optional(on).await?.flatten())
}

/// The first column of the first row, which holds bytes.
pub(crate) async fn postgres_bytes(on: &mut PgConnection, sql: &Sql) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let query =
        sqlx::query_scalar_with::<Postgres, Option<Vec<u8>>, _>(AssertSqlSafe(sql.text()), sql.postgres()?);
    Ok(query.fetch_optional(on).await?.flatten())
}

/// The steps by which PostgreSQL would carry out a query.
pub(crate) async fn postgres_plan(on: &mut PgConnection, sql: &Sql) -> Result<Vec<String>, sqlx::Error> {
    let text = format!("EXPLAIN (COSTS OFF) {}", sql.text());
    let query = sqlx::query_scalar_with::<Postgres, String, _>(AssertSqlSafe(text), sql.postgres()?);
    query.persistent(false).fetch_all(on).await
}
