//! Puts a backup into an empty database.
//!
//! The rows go in by many transactions, between two others: the first makes a table that says the database is unfinished, and the
//! last drops it. While it is there, no server and no command opens the database.

use std::collections::HashMap;
use std::io::Read;

use crate::backup::file::{BackupReader, Header, Line, TableLine, kind};
use crate::backup::tables::{Layout, MIGRATIONS, UNFINISHED, layouts, parse_layouts, versions};
use crate::backup::{BackupError, Contents};
use crate::db::{Db, Tx};
use crate::settings::Schema;
use crate::sql::Sql;
use crate::table::Dialect;
use kernel::failpoint;
use kernel::ids::new_id;

/// Bytes of rows that one statement inserts, and rows.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_ROWS: usize = 5_000;
/// Statements of a transaction: each commit waits for the disk.
const BATCHES_AT_ONCE: usize = 8;

/// Checks that the backup may be put into this database.
///
/// # Errors
/// `NewerSchema`, `InUse`, `OtherSchema`.
pub async fn check(db: &Db, schema: Schema, contents: &Contents, header: &Header) -> Result<(), BackupError> {
    let known = schema.versions(db.dialect());
    if let Some(unknown) = header.migrations.iter().find(|version| !known.contains(version)) {
        return Err(BackupError::NewerSchema(*unknown));
    }
    let found = tables(db).await?;
    for table in contents.in_use.iter().filter(|table| found.contains_key(**table)) {
        let one = format!("SELECT CAST(count(*) AS TEXT) FROM (SELECT 1 FROM {table} LIMIT 1) AS found");
        if db.number(Sql::new(one)).await? > 0 {
            return Err(BackupError::InUse((*table).to_owned()));
        }
    }
    let applied: Vec<i64> = if found.contains_key(MIGRATIONS) {
        let versions = db.text(versions(db.dialect())).await?;
        serde_json::from_str(versions.as_deref().unwrap_or("[]"))?
    } else {
        Vec::new()
    };
    if applied.iter().all(|version| header.migrations.contains(version)) {
        Ok(())
    } else {
        Err(BackupError::OtherSchema)
    }
}

async fn tables(db: &Db) -> Result<HashMap<String, Layout>, BackupError> {
    let found = parse_layouts(db.text(layouts(db.dialect())).await?)?;
    Ok(found.into_iter().map(|layout| (layout.name.clone(), layout)).collect())
}

/// Marks the database as unfinished.
///
/// # Errors
/// The database's.
pub async fn begin(db: &Db) -> Result<(), BackupError> {
    db.execute(Sql::new(format!("CREATE TABLE {UNFINISHED} (since TEXT)"))).await?;
    failpoint::hit("restore.begun");
    Ok(())
}

/// Makes the log another one than that of the backup, for which clients and other nodes may have positions, and takes the mark
/// away.
///
/// # Errors
/// The database's.
pub async fn finish(db: &Db) -> Result<(), BackupError> {
    failpoint::hit("restore.loaded");
    let mut tx = db.begin().await?;
    tx.execute(&Sql::new("DELETE FROM cluster")).await?;
    tx.execute(&Sql::default().push("INSERT INTO cluster (id) VALUES (?)", [new_id().into()])).await?;
    tx.execute(&Sql::new(format!("DROP TABLE {UNFINISHED}"))).await?;
    tx.commit().await?;
    Ok(())
}

/// Inserts all rows into a database that has the schema of the backup; returns how many. Call in a task that is never dropped.
///
/// # Errors
/// `Unfit` for a table or column that this schema does not have; `Damaged`; the database's.
pub async fn load<R: Read>(
    db: &Db,
    contents: &Contents,
    mut backup: BackupReader<R>,
) -> Result<u64, BackupError> {
    let tables = tables(db).await?;
    let is_other_kind = backup.header().database != kind(db.dialect());
    let of_one_kind = if is_other_kind { contents.of_one_kind } else { &[] };
    set_numbering(db, false).await?;
    let mut batches = Batches { db, tx: None, insert: String::new(), rows: Vec::new(), bytes: 0, count: 0 };
    while let Some(line) = backup.next_line()? {
        match line {
            Line::Row(row) => batches.add(row).await?,
            Line::Table(TableLine { table, columns }) => {
                batches.send().await?;
                let layout = tables.get(&table).filter(|_| contents.has(&table));
                let layout = layout.ok_or(BackupError::Unfit(table))?;
                batches.insert = layout.insert(db.dialect(), &columns, of_one_kind)?;
                // What the migrations put there.
                let empty = Sql::new(format!("DELETE FROM \"{}\"", layout.name));
                batches.open().await?.execute(&empty).await?;
            }
        }
    }
    batches.send().await?;
    batches.commit().await?;
    set_numbering(db, true).await?;
    Ok(backup.rows())
}

/// Switches the trigger that gives events a number. Those from before there were numbers stay without.
async fn set_numbering(db: &Db, is_on: bool) -> Result<(), BackupError> {
    if db.dialect() == Dialect::Postgres {
        let switch = if is_on { "ENABLE" } else { "DISABLE" };
        db.execute(Sql::new(format!("ALTER TABLE events {switch} TRIGGER USER"))).await?;
    }
    Ok(())
}

/// Rows on their way into the database.
struct Batches<'a> {
    db: &'a Db,
    tx: Option<Tx>,
    /// The statement for the rows of the present table.
    insert: String,
    rows: Vec<String>,
    bytes: usize,
    /// Statements of the present transaction.
    count: usize,
}

impl Batches<'_> {
    async fn add(&mut self, row: String) -> Result<(), BackupError> {
        self.bytes += row.len();
        self.rows.push(row);
        if self.bytes >= BATCH_BYTES || self.rows.len() >= BATCH_ROWS {
            self.send().await?;
        }
        Ok(())
    }

    async fn open(&mut self) -> Result<&mut Tx, BackupError> {
        if self.tx.is_none() {
            self.tx = Some(self.db.begin().await?);
        }
        Ok(self.tx.as_mut().expect("it was opened"))
    }

    /// Inserts the rows that wait.
    async fn send(&mut self) -> Result<(), BackupError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = format!("[{}]", std::mem::take(&mut self.rows).join(","));
        self.bytes = 0;
        let insert = Sql::new(self.insert.clone()).with(rows);
        self.open().await?.execute(&insert).await?;
        self.count += 1;
        if self.count >= BATCHES_AT_ONCE {
            self.commit().await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), BackupError> {
        self.count = 0;
        if let Some(tx) = self.tx.take() {
            tx.commit().await?;
            failpoint::hit("restore.committed");
        }
        Ok(())
    }
}
