//! The last occurrence of each schedule that a node has claimed.

use serde::{Deserialize, Serialize};

use crate::db::{Db, StoreError};
use crate::sql::Sql;
use crate::table::{Kind, OnConflict, Table};
use crate::unit_of_work::Write;
use kernel::clock::Timestamp;

pub static SCHEDULES: Table = Table {
    name: "schedules",
    columns: &[("id", Kind::Text), ("version", Kind::Int), ("last_occurrence", Kind::Time)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The last occurrence of a schedule that a node has claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastOccurrence {
    /// The schedule's name.
    pub id: String,
    pub version: i64,
    pub last_occurrence: Timestamp,
}

impl LastOccurrence {
    /// Claims `occurrence`, on condition that no node has claimed one since this was read.
    pub fn claim(&self, occurrence: Timestamp) -> Write {
        let claimed = Self { version: self.version + 1, last_occurrence: occurrence, ..self.clone() };
        Write::put(&SCHEDULES, &self.id, &claimed).expecting(self.version)
    }
}

/// Reads the last occurrence of the schedule `name`. For a new schedule this is `begin`, and its row is created, so
/// that a compare-and-set always has a row to lock.
pub async fn load(db: &Db, name: &str, begin: Timestamp) -> Result<LastOccurrence, StoreError> {
    if let Some(last) = find(db, name).await? {
        return Ok(last);
    }
    let make = Sql::new("INSERT INTO schedules (id, version, last_occurrence)")
        .push(" VALUES (?, 1, ?) ON CONFLICT DO NOTHING", [name.into(), begin.into()]);
    db.execute(make).await?;
    find(db, name).await?.ok_or_else(|| StoreError::Failed(format!("the schedule {name} has no row")))
}

async fn find(db: &Db, name: &str) -> Result<Option<LastOccurrence>, StoreError> {
    let rows = db.rows(&SCHEDULES, Sql::default().filter("id = ?", [name.into()])).await?;
    Ok(rows.into_iter().next())
}
