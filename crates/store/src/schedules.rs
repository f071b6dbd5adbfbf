//! Which occurrence of a schedule was taken on last.

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

/// A schedule's last occurrence that some node took on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastOccurrence {
    /// The schedule's name.
    pub id: String,
    pub version: i64,
    pub last_occurrence: Timestamp,
}

impl LastOccurrence {
    /// Takes `occurrence` on, if nobody else took one on since this was read.
    pub fn claim(&self, occurrence: Timestamp) -> Write {
        let claimed = Self { version: self.version + 1, last_occurrence: occurrence, ..self.clone() };
        Write::put(&SCHEDULES, &self.id, &claimed).expecting(self.version)
    }
}

/// The last occurrence of the schedule `name`. One that is new has had `begin`; its row is made first, so that a
/// compare-and-set always has one to lock.
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
