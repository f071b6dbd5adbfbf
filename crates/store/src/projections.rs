//! Emptying a projection. Its rows and the cursors of its consumer change in one transaction, so that a running
//! consumer loses its compare-and-set and reads its cursors again.

use crate::cursors::CURSORS;
use crate::db::{Db, StoreError, Tx};
use crate::sql::Sql;
use crate::table::{Dialect, Table};
use kernel::event::{EventType, PARTITIONS};

/// Empties `table`, deletes the parked events of `consumer`, which makes its rows, and sets its cursors to the
/// beginning.
///
/// # Errors
/// `Unavailable`: then nothing has changed.
pub async fn reset(db: &Db, consumer: &'static str, table: &'static Table) -> Result<(), StoreError> {
    let held = db.clone();
    let task = db.runtime().spawn(async move {
        let mut tx = held.begin().await?;
        lock(&mut tx, held.dialect(), consumer).await?;
        let of_consumer = |text: &str| Sql::new(text).filter("consumer = ?", [consumer.into()]);
        tx.execute(&of_consumer("UPDATE consumer_cursors SET position = 0, applied = 0")).await?;
        tx.execute(&of_consumer("DELETE FROM parked_events")).await?;
        tx.execute(&Sql::new(format!("DELETE FROM {}", table.name))).await?;
        tx.commit().await
    });
    task.await.map_err(|_| StoreError::Unavailable("the reset was cut off".into()))?
}

/// Replaces the rows of `table`, which `consumer` writes, too, by `rows`, each a JSON object. Returns false and changes
/// nothing if the number of events of `types` in the log is not `folded`, the number that `rows` was made of.
///
/// # Errors
/// `Unavailable`: then nothing has changed.
pub async fn replace(
    db: &Db,
    consumer: &'static str,
    table: &'static Table,
    rows: Vec<String>,
    types: &[EventType],
    folded: usize,
) -> Result<bool, StoreError> {
    let (held, types) = (db.clone(), serde_json::to_string(types)?);
    let task = db.runtime().spawn(async move {
        let dialect = held.dialect();
        let mut tx = held.begin().await?;
        // From here until the commit the consumer can't write.
        lock(&mut tx, dialect, consumer).await?;
        let there = tx.text(&count(dialect, types)).await?;
        if there != Some(folded.to_string()) {
            return Ok(false);
        }
        tx.execute(&Sql::new(format!("DELETE FROM {}", table.name))).await?;
        let put = Sql::new(table.put(dialect, 1)).with(format!("[{}]", rows.join(",")));
        tx.execute(&put).await?;
        tx.commit().await.map(|()| true)
    });
    task.await.map_err(|_| StoreError::Unavailable("the replacement was cut off".into()))?
}

fn count(dialect: Dialect, types: String) -> Sql {
    let count = Sql::new("SELECT CAST(count(*) AS TEXT) FROM events");
    count.filter(&format!("type IN ({})", dialect.texts()), [types.into()])
}

/// Locks the consumer's cursors, which must exist, in the order in which the journal locks them.
async fn lock(tx: &mut Tx, dialect: Dialect, consumer: &str) -> Result<(), StoreError> {
    let ids: Vec<_> = (0..PARTITIONS).map(|partition| format!("{consumer}/{partition}")).collect();
    let held = Sql::new(CURSORS.fences(dialect, 1)).with(serde_json::to_string(&ids)?);
    tx.execute(&held).await.map(drop)
}

/// How many rows a projection has.
pub async fn rows(db: &Db, table: &Table) -> Result<i64, StoreError> {
    db.number(Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", table.name))).await
}
