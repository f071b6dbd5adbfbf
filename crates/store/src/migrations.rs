//! The schema is brought up to date, by one node at a time.

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{Executor, PgConnection};

use crate::StoreError;
use crate::db::{Db, Pools};

/// Another node may migrate a large database for minutes, and each statement may take as long. A table that is in use is
/// still waited for no longer than the connection's limit, because everybody else would wait behind the migration.
const WAIT_FOR_MY_TURN: &str = "SET lock_timeout = 0; SET statement_timeout = 0";
const MY_TURN: &str = "RESET lock_timeout";
const DONE: &str = "RESET statement_timeout";

impl Db {
    /// Brings the schema up to date; returns the names of all applied migrations. On PostgreSQL it waits until no other
    /// node does so.
    ///
    /// # Errors
    /// When a migration fails or the schema is newer than this binary.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let migrator = self.schema.migrator(self.dialect());
        self.apply(migrator).await?;
        Ok(migrator
            .iter()
            .map(|migration| format!("{:04} {}", migration.version, migration.description))
            .collect())
    }

    /// Applies these migrations alone, which makes the schema of an older version.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn migrate_to(&self, versions: &[i64]) -> Result<(), StoreError> {
        let all = self.schema.migrator(self.dialect()).iter();
        let chosen = all.filter(|migration| versions.contains(&migration.version)).cloned().collect();
        self.apply(&Migrator::with_migrations(chosen)).await
    }

    async fn apply(&self, migrator: &Migrator) -> Result<(), StoreError> {
        let ran = match &self.pools {
            Pools::Sqlite { writer, .. } => writer.migrate(migrator).await?,
            // Its tables are there.
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => Ok(()),
            Pools::Postgres(connections) => {
                let mut lent = connections.lend_at_start().await?;
                let ran = lent.run(async |on| Ok(in_turn(migrator, on).await)).await?;
                if ran.is_ok() {
                    // One that failed holds the lock of the migrations.
                    lent.done();
                }
                ran
            }
        };
        ran.map_err(|error| StoreError::Failed(error.to_string()))
    }
}

async fn in_turn(migrator: &Migrator, on: &mut PgConnection) -> Result<(), MigrateError> {
    on.execute(WAIT_FOR_MY_TURN).await?;
    on.lock().await?;
    on.execute(MY_TURN).await?;
    // It takes the same lock once more. (`run` of a connection can't be sent between threads: the compiler finds it "not
    // general enough".)
    migrator.run_direct(None, on, false).await?;
    on.unlock().await?;
    on.execute(DONE).await?;
    Ok(())
}
