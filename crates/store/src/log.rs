//! Reading the event log: by position for consumers, newest first for the audit log.

use serde::Deserialize;

use crate::db::{Db, StoreError};
use crate::sql::Sql;
use crate::table::{Kind, OnConflict, Table};
use kernel::clock::Timestamp;
use kernel::event::{EventRecord, EventType, LoggedEvent};
use kernel::ids::Id;

pub static EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("id", Kind::Id),
        ("slice", Kind::Int),
        ("slice_seq", Kind::Int),
        ("type", Kind::Text),
        ("source", Kind::Text),
        ("subject", Kind::Id),
        ("sequence", Kind::Int),
        ("partition_key", Kind::Id),
        ("time", Kind::Time),
        ("data", Kind::Json),
        ("traceparent", Kind::Text),
        ("correlation_id", Kind::Text),
        ("causation_id", Kind::Id),
        ("actor_id", Kind::Id),
    ],
    on_conflict: OnConflict::Fail,
    fence: "sequence",
};

/// The last sequence number of each partition.
pub static PARTITIONS: Table = Table {
    name: "slices",
    columns: &[("slice", Kind::Int), ("last_seq", Kind::Int)],
    on_conflict: OnConflict::Replace,
    fence: "last_seq",
};

/// An event with its place in the log as JSON, as nodes send it to each other.
pub fn to_json(event: &LoggedEvent) -> String {
    serde_json::to_string(&EventRecord::from(event)).expect("records are plain structs")
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// When the text is not an event, or its type is unknown to this program.
pub fn from_json(db: &Db, text: &str) -> Result<LoggedEvent, StoreError> {
    known(db, serde_json::from_str(text)?)
}

fn known(db: &Db, record: EventRecord) -> Result<LoggedEvent, StoreError> {
    let name = record.r#type.clone();
    let event = record.into_event(db.catalogue());
    event.ok_or_else(|| StoreError::Failed(format!("the log has an unknown type {name}")))
}

/// The events that `tail` (joins, conditions, order, limit) selects.
///
/// # Errors
/// The database's; `Failed` for a type that this program does not know.
pub async fn read(db: &Db, tail: Sql) -> Result<Vec<LoggedEvent>, StoreError> {
    let records: Vec<EventRecord> = db.rows(&EVENTS, tail).await?;
    records.into_iter().map(|record| known(db, record)).collect()
}

/// Rows per statement, where all rows are read.
const PAGE: i64 = 1_000;

/// Events of one partition after a position, in order, at most `limit`.
pub async fn after(
    db: &Db,
    partition: i64,
    position: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = Sql::default()
        .filter("slice = ?", [partition.into()])
        .filter("slice_seq > ?", [position.into()])
        .push(" ORDER BY slice_seq", [])
        .limit(limit);
    read(db, tail).await
}

/// A range of a partition, and the types of events wanted from it.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    pub partition: i64,
    /// Sequence numbers greater than `after`, up to `upto`.
    pub after: i64,
    pub upto: i64,
    pub types: &'a [EventType],
    /// Only those of this partition key.
    pub partition_key: Option<Id>,
}

/// The events of a range, in order, at most `limit`.
pub async fn range(db: &Db, wanted: &Range<'_>, limit: i64) -> Result<Vec<LoggedEvent>, StoreError> {
    let mut tail = Sql::default()
        .filter("slice = ?", [wanted.partition.into()])
        .filter("slice_seq > ?", [wanted.after.into()])
        .filter("slice_seq <= ?", [wanted.upto.into()])
        .filter_some("partition_key = ?", wanted.partition_key)
        .filter("type IN (''", []);
    for event_type in wanted.types {
        tail = tail.push(", ?", [event_type.name().into()]);
    }
    read(db, tail.push(") ORDER BY slice_seq", []).limit(limit)).await
}

/// The events with these ids, in the order of their positions.
pub async fn by_ids(db: &Db, ids: &[Id]) -> Result<Vec<LoggedEvent>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(ids)?.into()]);
    read(db, tail.push(" ORDER BY slice, slice_seq", [])).await
}

/// The last number of every partition, `(partition, last_seq)`.
pub async fn heads(db: &Db) -> Result<Vec<(i64, i64)>, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "slice")]
        partition: i64,
        last_seq: i64,
    }
    let heads: Vec<Head> = db.rows(&PARTITIONS, Sql::default()).await?;
    Ok(heads.into_iter().map(|head| (head.partition, head.last_seq)).collect())
}

/// A filter of the audit log; every condition that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub event_type: Option<String>,
    pub subject: Option<Id>,
    pub actor_id: Option<Id>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl AuditFilter {
    fn apply(&self, sql: Sql) -> Sql {
        sql.filter_some("type = ?", self.event_type.clone())
            .filter_some("subject = ?", self.subject)
            .filter_some("actor_id = ?", self.actor_id)
            .filter_some("time >= ?", self.from)
            .filter_some("time < ?", self.to)
    }
}

/// The events of the log before the event `before`, newest first.
pub async fn audit(
    db: &Db,
    filter: &AuditFilter,
    before: Option<Id>,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = filter.apply(Sql::default()).filter_some("id < ?", before);
    read(db, tail.push(" ORDER BY id DESC", []).limit(limit)).await
}

/// How many events match the filter.
pub async fn audit_count(db: &Db, filter: &AuditFilter) -> Result<i64, StoreError> {
    db.number(filter.apply(Sql::new("SELECT CAST(count(*) AS TEXT) FROM events"))).await
}

/// Every event of these types, which must be few; ordered within an aggregate only.
pub async fn of_types(db: &Db, types: &[EventType]) -> Result<Vec<LoggedEvent>, StoreError> {
    let mut events: Vec<LoggedEvent> = Vec::new();
    for event_type in types {
        let mut after = None;
        loop {
            let filter =
                AuditFilter { event_type: Some(event_type.name().to_owned()), ..AuditFilter::default() };
            let tail = filter.apply(Sql::default()).filter_some("id > ?", after);
            let page = read(db, tail.push(" ORDER BY id", []).limit(PAGE)).await?;
            let is_last = (page.len() as i64) < PAGE;
            after = page.last().map(|event| event.event.id);
            events.extend(page);
            if is_last {
                break;
            }
        }
    }
    Ok(events)
}
