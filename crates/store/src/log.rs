//! Reading the event log: by position for consumers, newest first for the audit log.

use std::time::Duration;

use serde::Deserialize;

use crate::db::{Db, StoreError};
use crate::progress;
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
        ("log_seq", Kind::Int),
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
        ("api_key_id", Kind::Id),
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

/// The last sequence number of the whole log, in one row.
pub static LOG_HEAD: Table = Table {
    name: "log_head",
    columns: &[("id", Kind::Int), ("last_seq", Kind::Int)],
    on_conflict: OnConflict::Replace,
    fence: "last_seq",
};

/// The id of that row.
pub const LOG_HEAD_ID: i64 = 0;

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

/// As [`after`], but only events of these types; `None` for all.
pub async fn after_of_types(
    db: &Db,
    partition: i64,
    position: i64,
    types: Option<&[EventType]>,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let rest =
        Sql::default().filter("slice = ?", [partition.into()]).filter("slice_seq > ?", [position.into()]);
    let tail = of_one_of(db, rest, types.unwrap_or_default())?;
    read(db, tail.push(" ORDER BY slice_seq", []).limit(limit)).await
}

/// Events of the whole log after this number, in the order of commits, at most `limit`. None is skipped: what is
/// committed later has a greater number.
pub async fn since(db: &Db, number: i64, limit: i64) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = Sql::default().filter("log_seq > ?", [number.into()]);
    read(db, tail.push(" ORDER BY log_seq", []).limit(limit)).await
}

/// A range of the whole log, and the events wanted from it.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    /// Numbers greater than `after`, up to `upto`.
    pub after: i64,
    pub upto: i64,
    /// Events of these types,
    pub types: &'a [EventType],
    /// and those of this type with this partition key.
    pub own: (EventType, Id),
}

/// The events of a range, in the order of commits, at most `limit`.
pub async fn range(db: &Db, wanted: &Range<'_>, limit: i64) -> Result<Vec<LoggedEvent>, StoreError> {
    let (own, key) = wanted.own;
    // The name is a part of the text, as it is in the condition of the index for such events.
    let own = format!("type = '{}' AND partition_key = ?", own.name());
    let mut tail = Sql::default()
        .filter("log_seq > ?", [wanted.after.into()])
        .filter("log_seq <= ?", [wanted.upto.into()]);
    if wanted.types.is_empty() {
        tail = tail.filter(&own, [key.into()]);
    } else {
        // `coalesce` keeps the databases from the index of types, whose rows they would have to sort.
        tail = tail.filter(&format!("({own} OR coalesce(type, '') IN (''"), [key.into()]);
        for event_type in wanted.types {
            tail = tail.push(", ?", [event_type.name().into()]);
        }
        tail = tail.push("))", []);
    }
    read(db, tail.push(" ORDER BY log_seq", []).limit(limit)).await
}

/// The events of these types (of all, if there are none) in a range of the whole log, in the order of commits, at most
/// `limit`. It reads no row outside the range.
pub async fn window(
    db: &Db,
    (after, upto): (i64, i64),
    types: &[EventType],
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let range = Sql::default().filter("log_seq > ?", [after.into()]).filter("log_seq <= ?", [upto.into()]);
    let tail = of_one_of(db, range, types)?;
    read(db, tail.push(" ORDER BY log_seq", []).limit(limit)).await
}

/// As [`window`], of one partition.
pub async fn partition_window(
    db: &Db,
    partition: i64,
    (after, upto): (i64, i64),
    types: &[EventType],
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let range = Sql::default()
        .filter("slice = ?", [partition.into()])
        .filter("slice_seq > ?", [after.into()])
        .filter("slice_seq <= ?", [upto.into()]);
    let tail = of_one_of(db, range, types)?;
    read(db, tail.push(" ORDER BY slice_seq", []).limit(limit)).await
}

/// `coalesce` keeps the databases from the index of types, whose rows are those of the whole log.
fn of_one_of(db: &Db, sql: Sql, types: &[EventType]) -> Result<Sql, StoreError> {
    if types.is_empty() {
        return Ok(sql);
    }
    let chosen = format!("coalesce(type, '') IN ({})", db.dialect().texts());
    Ok(sql.filter(&chosen, [serde_json::to_string(types)?.into()]))
}

/// Times of events of a partition may be out of order by so much at most: clocks of nodes differ, and commits wait.
const DISORDER: Duration = Duration::from_secs(600);

/// The position in a partition, which ends at `head`, after which the events of `time` or later begin.
pub async fn position_before(db: &Db, partition: i64, head: i64, time: Timestamp) -> Result<i64, StoreError> {
    // Times are almost in order: what is sought is behind the last event that is far too early.
    let early = time.minus(DISORDER);
    let (mut before, mut after) = (0, head + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let probe = Sql::new("SELECT CAST(slice_seq AS TEXT) FROM events")
            .filter("slice = ?", [partition.into()])
            .filter("slice_seq = ?", [middle.into()])
            .filter("time < ?", [early.into()]);
        if db.text(probe).await?.is_some() { before = middle } else { after = middle }
    }
    let first = Sql::new("SELECT CAST(slice_seq AS TEXT) FROM events")
        .filter("slice = ?", [partition.into()])
        .filter("slice_seq > ?", [before.into()])
        .filter("slice_seq <= ?", [head.into()])
        .filter("time >= ?", [time.into()])
        // The name alone would be that of the text.
        .push(" ORDER BY events.slice_seq LIMIT 1", []);
    let first = db.text(first).await?;
    Ok(first.and_then(|number| number.parse::<i64>().ok()).map_or(head, |number| number - 1))
}

/// The last number of the whole log.
pub async fn head(db: &Db) -> Result<i64, StoreError> {
    db.number(Sql::new("SELECT CAST(last_seq AS TEXT) FROM log_head")).await
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// The last events of an aggregate before the one with this number, the newest first, at most `limit`.
pub async fn before(db: &Db, subject: Id, sequence: i64, limit: i64) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail =
        Sql::default().filter("subject = ?", [subject.into()]).filter("sequence < ?", [sequence.into()]);
    read(db, tail.push(" ORDER BY sequence DESC", []).limit(limit)).await
}

/// How many events match the filter.
pub async fn audit_count(db: &Db, filter: &AuditFilter) -> Result<i64, StoreError> {
    if *filter == AuditFilter::default() {
        return progress::events(db).await;
    }
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
