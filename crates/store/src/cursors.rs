//! The positions of consumers, the events they could not apply yet, and how far behind they are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::{Db, StoreError};
use crate::sql::Sql;
use crate::table::{Dialect, Kind, OnConflict, Table};
use crate::unit_of_work::Write;
use kernel::clock::Timestamp;
use kernel::event::{EventType, PARTITIONS};
use kernel::ids::Id;
use kernel::simulation::mutant;

pub static CURSORS: Table = Table {
    name: "consumer_cursors",
    columns: &[
        ("id", Kind::Text),
        ("consumer", Kind::Text),
        ("slice", Kind::Int),
        ("position", Kind::Int),
        ("applied", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "position",
};

/// A consumer's position in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub consumer: String,
    #[serde(rename = "slice")]
    pub partition: i64,
    /// The `partition_seq` of the last event taken.
    pub position: i64,
    /// How many events of its types the consumer has applied or parked.
    pub applied: i64,
}

impl Cursor {
    /// Moves the stored cursor to this one, on condition that it still is `stored`.
    pub fn moved_from(&self, stored: &Cursor) -> Write {
        #[derive(Serialize)]
        struct Row<'a> {
            id: &'a str,
            #[serde(flatten)]
            cursor: &'a Cursor,
        }
        let id = format!("{}/{}", self.consumer, self.partition);
        let write = Write::put(&CURSORS, &id, &Row { id: &id, cursor: self });
        if mutant("no-cursor-fence") { write } else { write.expecting(stored.position) }
    }
}

/// A consumer's cursors, one per partition, in the order of partitions. Missing rows are created first, so that a
/// compare-and-set always has a row to lock.
pub async fn load(db: &Db, consumer: &str) -> Result<Vec<Cursor>, StoreError> {
    let make = match db.dialect() {
        Dialect::Sqlite => {
            "INSERT INTO consumer_cursors (id, consumer, slice, position, applied) \
             SELECT $1 || '/' || slice, $1, slice, 0, 0 FROM slices WHERE true ON CONFLICT DO NOTHING"
        }
        Dialect::Postgres => {
            "INSERT INTO consumer_cursors (id, consumer, slice, position, applied) \
             SELECT $1 || '/' || slice, $1, slice, 0, 0 FROM slices ON CONFLICT DO NOTHING"
        }
    };
    db.execute(Sql::new(make).with(consumer)).await?;
    let tail = Sql::default().filter("consumer = ?", [consumer.into()]).push(" ORDER BY slice", []);
    let cursors: Vec<Cursor> = db.rows(&CURSORS, tail).await?;
    if cursors.len() as i64 != PARTITIONS {
        return Err(StoreError::Failed(format!(
            "{consumer} has {} cursors for {PARTITIONS} slices",
            cursors.len()
        )));
    }
    Ok(cursors)
}

pub static PARKED: Table = Table {
    name: "parked_events",
    columns: &[
        ("id", Kind::Id),
        ("consumer", Kind::Text),
        ("event_id", Kind::Id),
        ("subject", Kind::Id),
        ("slice", Kind::Int),
        ("slice_seq", Kind::Int),
        ("version", Kind::Int),
        ("status", Kind::Text),
        ("attempts", Kind::Int),
        ("next_attempt_at", Kind::Time),
        ("error", Kind::Text),
        ("parked_at", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The state of a parked event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParkedStatus {
    /// Tried again at `next_attempt_at`.
    Retrying,
    /// Waits behind an earlier parked event of its aggregate.
    Waiting,
    /// A dead letter: its retries are used up, until it is redriven.
    Dead,
}

impl ParkedStatus {
    /// Its name in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }
}

/// An event that its consumer could not apply yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parked {
    pub id: Id,
    pub consumer: String,
    pub event_id: Id,
    pub subject: Id,
    #[serde(rename = "slice")]
    pub partition: i64,
    #[serde(rename = "slice_seq")]
    pub partition_seq: i64,
    pub version: i64,
    pub status: ParkedStatus,
    pub attempts: i64,
    pub next_attempt_at: Timestamp,
    pub error: String,
    pub parked_at: Timestamp,
}

/// A consumer's parked events in the order of their positions, at most `limit`.
pub async fn parked(db: &Db, consumer: &str, limit: i64) -> Result<Vec<Parked>, StoreError> {
    let tail = Sql::default()
        .filter("consumer = ?", [consumer.into()])
        .push(" ORDER BY slice, slice_seq", [])
        .limit(limit);
    db.rows(&PARKED, tail).await
}

/// The lowest position of any consumer in each partition, `(partition, position)`.
pub async fn lowest(db: &Db) -> Result<Vec<(i64, i64)>, StoreError> {
    static LOWEST: Table = Table {
        name: "lowest",
        columns: &[("slice", Kind::Int), ("position", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "position",
    };
    #[derive(Deserialize)]
    struct Lowest {
        #[serde(rename = "slice")]
        partition: i64,
        position: i64,
    }
    let sql = Sql::new("SELECT slice, min(position) AS position FROM consumer_cursors GROUP BY slice");
    let lowest: Vec<Lowest> = db.rows_of(&LOWEST, sql).await?;
    Ok(lowest.into_iter().map(|of| (of.partition, of.position)).collect())
}

/// How many committed events of these types the consumer has not taken yet.
pub async fn lag(db: &Db, consumer: &str, types: &[EventType]) -> Result<i64, StoreError> {
    // By position, partition for partition. `coalesce` keeps the databases from the index of types, whose rows are those of
    // the whole log.
    let unread = format!(
        "SELECT CAST(coalesce(sum((SELECT count(*) FROM events AS e WHERE e.slice = c.slice AND e.slice_seq > c.position \
         AND coalesce(e.type, '') IN ({}))), 0) AS BIGINT) AS unread FROM consumer_cursors AS c WHERE c.consumer = ?",
        db.dialect().texts()
    );
    let sql = Sql::default().push(&unread, [serde_json::to_string(types)?.into(), consumer.into()]);
    let sql = sql.wrapped(|unread| format!("SELECT CAST(unread AS TEXT) FROM ({unread}) AS u"));
    db.number(sql).await
}
