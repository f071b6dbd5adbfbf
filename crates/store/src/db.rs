//! The database: SQLite or PostgreSQL behind one interface for reads and for the journal's transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use crate::backup::UNFINISHED;
use crate::connect::{open_postgres, open_sqlite};
pub use crate::error::StoreError;
use crate::plans::Plans;
use crate::postgres;
use crate::postgres::Connections;
use crate::readers::Readers;
use crate::settings::{DatabaseSettings, Missing, Schema};
#[cfg(feature = "simulation")]
use crate::simulated;
use crate::sql::Sql;
use crate::table::{Dialect, Table};
pub use crate::tx::Tx;
use crate::tx::{Open, postgres_bytes, postgres_plan, postgres_text};
use crate::write_check::WriteCheck;
use crate::writer;
use crate::writer::Writer;
use kernel::event::Catalogue;
use kernel::failpoint;
use kernel::ids::Id;

#[derive(Clone)]
pub(crate) enum Pools {
    // SQLite has one writer; readers beside it see the last commit (WAL).
    Sqlite {
        writer: Writer,
        readers: Readers,
    },
    Postgres(Connections),
    #[cfg(feature = "simulation")]
    Simulated(Arc<dyn simulated::Database>),
}

/// A handle to the database; clones share its pools.
#[derive(Clone)]
pub struct Db {
    pub(crate) pools: Pools,
    pub(crate) schema: Schema,
    writes: Arc<WriteCheck>,
    plans: Option<Arc<Plans>>,
    // PostgreSQL sockets belong to the runtime that made them, and a dropped future must not cut a
    // transaction in half: every statement there runs in a task of this long-lived runtime.
    runtime: Handle,
}

/// The settings that durability depends on (SPEC §8.1), under their names in either database.
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
    /// Connects; creates a SQLite file and its folder if missing. Call on the long-lived runtime.
    ///
    /// # Errors
    /// `Unavailable` if nothing answers there, `Failed` for a URL that is neither `sqlite:` nor `postgres:`.
    pub async fn connect(settings: &DatabaseSettings, schema: Schema) -> Result<Self, StoreError> {
        Self::open(settings, schema, Missing::Create).await
    }

    /// Connects to a database that must exist: nothing is made, and no setting of a file is changed. Call on the
    /// long-lived runtime.
    ///
    /// # Errors
    /// `Missing` if there is no such file; `Failed` also if it has no tables of ours.
    pub async fn connect_to_existing(
        settings: &DatabaseSettings,
        schema: Schema,
    ) -> Result<Self, StoreError> {
        let db = Self::open(settings, schema, Missing::Refuse).await?;
        if !db.has_table("slices").await? {
            db.close().await;
            return Err(StoreError::Failed("it has no tables of Kizuna; `kizuna migrate` makes them".into()));
        }
        Ok(db)
    }

    /// A node's handle to a simulated database. Call on the runtime of the simulated world.
    #[cfg(feature = "simulation")]
    pub fn simulated(database: Arc<dyn simulated::Database>, schema: Schema) -> Self {
        let (pools, writes) = (Pools::Simulated(database), Arc::new(WriteCheck::new()));
        Self { pools, schema, writes, plans: None, runtime: Handle::current() }
    }

    async fn open(settings: &DatabaseSettings, schema: Schema, missing: Missing) -> Result<Self, StoreError> {
        let url = settings.url.as_str();
        let pools = match Dialect::of(url) {
            Some(Dialect::Sqlite) => {
                let (writer, readers) = open_sqlite(settings, missing).await?;
                Pools::Sqlite { writer, readers }
            }
            Some(Dialect::Postgres) => Pools::Postgres(open_postgres(settings).await?),
            None => {
                return Err(StoreError::Failed("the URL starts with neither sqlite: nor postgres:".into()));
            }
        };
        let writes = Arc::new(WriteCheck::new());
        let db = Self { pools, schema, writes, plans: None, runtime: Handle::current() };
        if db.has_table(UNFINISHED).await? {
            db.close().await;
            return Err(StoreError::Unfinished);
        }
        Ok(db)
    }

    /// Whether there is a table; asked at the start of a node, which is as patient as the opening of the database.
    async fn has_table(&self, name: &str) -> Result<bool, StoreError> {
        let found = match &self.pools {
            Pools::Sqlite { .. } => {
                let found = "SELECT name FROM sqlite_master WHERE name = $1";
                self.text(Sql::new(found).with(name)).await?
            }
            Pools::Postgres(connections) => {
                let sql = Sql::new("SELECT CAST(to_regclass($1) AS TEXT)").with(name);
                let mut lent = connections.lend_at_start().await?;
                let found = lent.run(async |connection| postgres_text(connection, &sql, true).await).await;
                lent.done();
                found?
            }
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => None,
        };
        Ok(found.is_some())
    }

    /// A handle to the same database for work that must be done in time, whatever else is under way: on PostgreSQL it has
    /// a connection that no other work can take. On SQLite it is an ordinary handle: its node is alone.
    pub fn reserved(&self) -> Self {
        match &self.pools {
            Pools::Sqlite { .. } => self.clone(),
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => self.clone(),
            Pools::Postgres(connections) => {
                Self { pools: Pools::Postgres(connections.reserved()), ..self.clone() }
            }
        }
    }

    /// A handle to the same database that has each of its queries explained before it runs, for tests of the indexes.
    pub fn watched(&self, plans: Arc<Plans>) -> Self {
        Self { plans: Some(plans), ..self.clone() }
    }

    /// The types of event that the program knows.
    pub fn catalogue(&self) -> Catalogue {
        self.schema.events
    }

    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => Dialect::Postgres,
        }
    }

    /// The rows of `table` that `tail` (joins, conditions, order, limit) selects.
    pub async fn rows<T: DeserializeOwned>(&self, table: &Table, tail: Sql) -> Result<Vec<T>, StoreError> {
        self.rows_of(table, tail.wrapped(|tail| table.select(tail))).await
    }

    /// The rows of any query; `shape` describes its columns.
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
        if let Some(plans) = &self.plans {
            plans.add(sql.text(), self.plan(sql.clone()).await?);
        }
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut reader = readers.lend().await?;
                let text = writer::text(&mut reader.connection, &sql).await;
                if text.is_ok() {
                    reader.done();
                }
                Ok(text?)
            }
            #[cfg(feature = "simulation")]
            Pools::Simulated(database) => database.text((&sql).into()).await,
            Pools::Postgres(connections) => {
                let connections = connections.clone();
                let task = self.runtime.spawn(async move {
                    let mut lent = connections.lend().await?;
                    let text = lent.run(async |connection| postgres_text(connection, &sql, true).await).await;
                    lent.done();
                    text
                });
                task.await.map_err(|_| StoreError::Unavailable("a query was cut off".into()))?
            }
        }
    }

    /// The steps by which the database would carry out a query.
    async fn plan(&self, sql: Sql) -> Result<Vec<String>, StoreError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut reader = readers.lend().await?;
                let steps = writer::plan(&mut reader.connection, &sql).await;
                if steps.is_ok() {
                    reader.done();
                }
                Ok(steps?)
            }
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => Ok(Vec::new()),
            Pools::Postgres(connections) => {
                let connections = connections.clone();
                let task = self.runtime.spawn(async move {
                    let mut lent = connections.lend().await?;
                    let steps = lent.run(async |connection| postgres_plan(connection, &sql).await).await;
                    lent.done();
                    steps
                });
                task.await.map_err(|_| StoreError::Unavailable("a query was cut off".into()))?
            }
        }
    }

    /// The first column of the first row, which holds bytes.
    pub async fn bytes(&self, sql: Sql) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut reader = readers.lend().await?;
                let bytes = writer::bytes(&mut reader.connection, &sql).await;
                if bytes.is_ok() {
                    reader.done();
                }
                Ok(bytes?)
            }
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => Err(StoreError::Failed("a simulated database keeps no bytes".into())),
            Pools::Postgres(connections) => {
                let connections = connections.clone();
                let task = self.runtime.spawn(async move {
                    let mut lent = connections.lend().await?;
                    let bytes = lent.run(async |connection| postgres_bytes(connection, &sql).await).await;
                    lent.done();
                    bytes
                });
                task.await.map_err(|_| StoreError::Unavailable("a query was cut off".into()))?
            }
        }
    }

    /// The number that a statement answers as text (`SELECT CAST(count(*) AS TEXT) …`); zero without a row.
    pub async fn number(&self, sql: Sql) -> Result<i64, StoreError> {
        let text = self.text(sql).await?.unwrap_or_else(|| "0".to_owned());
        text.parse().map_err(|_| StoreError::Failed(format!("not a number: {text}")))
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// `Unavailable` if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.text(Sql::new("SELECT CAST(1 AS TEXT)")).await.map(drop)
    }

    /// Checks that the database takes writes, by a small transaction. It is bounded: at most one runs in a second, however
    /// often this is called.
    ///
    /// # Errors
    /// `Unavailable` while writes would fail.
    pub async fn check_writes(&self) -> Result<(), StoreError> {
        self.writes.run(self).await
    }

    /// Runs a statement outside the journal (housekeeping only); returns how many rows it touched.
    ///
    /// # Errors
    /// The database's; then nothing has changed.
    pub async fn execute(&self, sql: Sql) -> Result<u64, StoreError> {
        let db = self.clone();
        let task = self.runtime.spawn(async move {
            let mut tx = db.begin().await?;
            let touched = tx.execute(&sql).await?;
            tx.commit().await.map(|()| touched)
        });
        task.await.map_err(|_| StoreError::Unavailable("a statement was cut off".into()))?
    }

    /// The value of one of [`SETTINGS`] on the connection that commits.
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

    /// Begins the transaction of a commit. Run it to its end in a task that is never dropped.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.begin_with_locks(&BTreeSet::new()).await
    }

    /// Begins a transaction that holds a lock for each of `values` to its end. SQLite has one writer, and needs none.
    pub(crate) async fn begin_with_locks(&self, values: &BTreeSet<String>) -> Result<Tx, StoreError> {
        let begun = match &self.pools {
            Pools::Sqlite { writer, .. } => writer.begin().await.map(Open::Sqlite),
            Pools::Postgres(connections) => match connections.lend().await {
                Ok(lent) => postgres::Transaction::begin(lent, values).await.map(Open::Postgres),
                Err(error) => Err(error),
            },
            #[cfg(feature = "simulation")]
            Pools::Simulated(database) => database.begin(values).await.map(Open::Simulated),
        };
        let writes = self.writes.clone();
        match begun {
            Ok(open) => Ok(Tx::new(open, writes)),
            Err(error) => {
                writes.failed(&error);
                Err(error)
            }
        }
    }

    /// The runtime that outlives every actor.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Closes every connection; SQLite checkpoints its write-ahead log.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(connections) => connections.close().await,
            #[cfg(feature = "simulation")]
            Pools::Simulated(_) => {}
        }
    }
}
