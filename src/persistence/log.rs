//! Reading the event log: by position for consumers, newest first for people.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::db::{Db, StoreError};
use super::sql::Sql;
use super::table::{Kind, OnConflict, Table};
use crate::actors::catalogue;
use crate::actors::event::{Event, LoggedEvent, source_of};
use crate::clock::Timestamp;
use crate::ids::Id;

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

/// The last number of each slice.
pub static SLICES: Table = Table {
    name: "slices",
    columns: &[("slice", Kind::Int), ("last_seq", Kind::Int)],
    on_conflict: OnConflict::Replace,
    fence: "last_seq",
};

/// A row of the log as it is written.
#[derive(Serialize)]
pub(super) struct EventRow<'a> {
    id: Id,
    slice: i64,
    slice_seq: i64,
    r#type: &'a str,
    source: &'a str,
    subject: Id,
    sequence: i64,
    partition_key: Id,
    time: Timestamp,
    data: &'a RawValue,
    traceparent: Option<&'a str>,
    correlation_id: &'a str,
    causation_id: Option<Id>,
    actor_id: Option<Id>,
}

impl<'a> From<&'a LoggedEvent> for EventRow<'a> {
    fn from(logged: &'a LoggedEvent) -> Self {
        let event = &logged.event;
        Self {
            id: event.id,
            slice: logged.slice,
            slice_seq: logged.slice_seq,
            r#type: event.event_type,
            source: source_of(event.event_type),
            subject: event.subject,
            sequence: event.sequence,
            partition_key: event.partition,
            time: event.time,
            data: &event.data,
            traceparent: event.traceparent.as_deref(),
            correlation_id: &event.correlation_id,
            causation_id: event.causation_id,
            actor_id: event.actor_id,
        }
    }
}

/// A row of the log as it is read.
#[derive(Deserialize)]
struct StoredEvent {
    id: Id,
    slice: i64,
    slice_seq: i64,
    r#type: String,
    subject: Id,
    sequence: i64,
    partition_key: Id,
    time: Timestamp,
    data: Box<RawValue>,
    traceparent: Option<Arc<str>>,
    correlation_id: Arc<str>,
    causation_id: Option<Id>,
    actor_id: Option<Id>,
}

impl TryFrom<StoredEvent> for LoggedEvent {
    type Error = StoreError;

    fn try_from(stored: StoredEvent) -> Result<Self, StoreError> {
        let event_type = catalogue::intern(&stored.r#type)
            .ok_or_else(|| StoreError::Failed(format!("the log has an unknown type {}", stored.r#type)))?;
        Ok(Self {
            slice: stored.slice,
            slice_seq: stored.slice_seq,
            event: Event {
                id: stored.id,
                event_type,
                subject: stored.subject,
                sequence: stored.sequence,
                partition: stored.partition_key,
                time: stored.time,
                data: stored.data.into(),
                traceparent: stored.traceparent,
                correlation_id: stored.correlation_id,
                causation_id: stored.causation_id,
                actor_id: stored.actor_id,
            },
        })
    }
}

/// An event with its place as text, in the shape of its row: what nodes tell each other.
pub fn to_json(event: &LoggedEvent) -> String {
    serde_json::to_string(&EventRow::from(event)).expect("rows are plain structs")
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// When it is no event, or one of a type that this program does not know.
pub fn from_json(text: &str) -> Result<LoggedEvent, StoreError> {
    serde_json::from_str::<StoredEvent>(text)?.try_into()
}

async fn read(db: &Db, tail: Sql) -> Result<Vec<LoggedEvent>, StoreError> {
    let stored: Vec<StoredEvent> = db.rows(&EVENTS, tail).await?;
    stored.into_iter().map(TryInto::try_into).collect()
}

/// Rows of one statement, where all of them are wanted.
const PAGE: i64 = 1_000;

/// Events of one slice after a position, in order, at most `limit`.
pub async fn after(db: &Db, slice: i64, position: i64, limit: i64) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = Sql::default()
        .filter("slice = ?", [slice.into()])
        .filter("slice_seq > ?", [position.into()])
        .push(" ORDER BY slice_seq", [])
        .limit(limit);
    read(db, tail).await
}

/// Which events of a slice are asked for.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    pub slice: i64,
    /// Numbers beyond `after`, up to `upto`.
    pub after: i64,
    pub upto: i64,
    pub types: &'a [&'static str],
    /// Only those of this partition key.
    pub partition: Option<Id>,
}

/// The events of a stretch, in order, at most `limit`.
pub async fn stretch(db: &Db, wanted: &Stretch<'_>, limit: i64) -> Result<Vec<LoggedEvent>, StoreError> {
    let mut tail = Sql::default()
        .filter("slice = ?", [wanted.slice.into()])
        .filter("slice_seq > ?", [wanted.after.into()])
        .filter("slice_seq <= ?", [wanted.upto.into()])
        .filter_some("partition_key = ?", wanted.partition)
        .filter("type IN (''", []);
    for event_type in wanted.types {
        tail = tail.push(", ?", [(*event_type).into()]);
    }
    read(db, tail.push(") ORDER BY slice_seq", []).limit(limit)).await
}

/// The events with these ids, in the order of their positions.
pub async fn by_ids(db: &Db, ids: &[Id]) -> Result<Vec<LoggedEvent>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(ids)?.into()]);
    read(db, tail.push(" ORDER BY slice, slice_seq", [])).await
}

/// The subjects of the events of one type that the event `cause` has led to, the first `limit` of them, and how many
/// they are.
pub async fn caused(db: &Db, cause: Id, event_type: &str, limit: i64) -> Result<(Vec<Id>, i64), StoreError> {
    // In the words of the index `events_caused`, or it would not be used.
    let narrow = |sql: Sql| {
        sql.filter("causation_id = ?", [cause.into()])
            .filter("type <> 'notification.created'", [])
            .filter("type = ?", [event_type.into()])
    };
    let first = read(db, narrow(Sql::default()).push(" ORDER BY id", []).limit(limit)).await?;
    let count = db.number(narrow(Sql::new("SELECT CAST(count(*) AS TEXT) FROM events"))).await?;
    Ok((first.into_iter().map(|event| event.event.subject).collect(), count))
}

/// The last number of every slice, `(slice, last_seq)`.
pub async fn heads(db: &Db) -> Result<Vec<(i64, i64)>, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        slice: i64,
        last_seq: i64,
    }
    let heads: Vec<Head> = db.rows(&SLICES, Sql::default()).await?;
    Ok(heads.into_iter().map(|head| (head.slice, head.last_seq)).collect())
}

/// What an audit asks for; all that is given must hold.
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

/// The log, newest first, before the event `before`.
pub async fn audit(
    db: &Db,
    filter: &AuditFilter,
    before: Option<Id>,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = filter.apply(Sql::default()).filter_some("id < ?", before);
    read(db, tail.push(" ORDER BY id DESC", []).limit(limit)).await
}

/// How many events the filter leaves.
pub async fn audit_count(db: &Db, filter: &AuditFilter) -> Result<i64, StoreError> {
    db.number(filter.apply(Sql::new("SELECT CAST(count(*) AS TEXT) FROM events"))).await
}

/// A customer's timeline, newest first, before the event `before`.
pub async fn activity(
    db: &Db,
    customer: Id,
    before: Option<Id>,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = Sql::new("JOIN customer_activity AS a ON a.id = events.id")
        .filter("a.customer_id = ?", [customer.into()])
        .filter_some("a.id < ?", before)
        .push(" ORDER BY a.id DESC", [])
        .limit(limit);
    read(db, tail).await
}

/// How many events a customer's timeline has.
pub async fn activity_count(db: &Db, customer: Id) -> Result<i64, StoreError> {
    let sql = Sql::new("SELECT CAST(count(*) AS TEXT) FROM customer_activity");
    db.number(sql.filter("customer_id = ?", [customer.into()])).await
}

/// Every event of these types, which must be few, in no order across aggregates.
pub async fn of_types(db: &Db, types: &[&str]) -> Result<Vec<LoggedEvent>, StoreError> {
    let mut events: Vec<LoggedEvent> = Vec::new();
    for event_type in types {
        let mut after = None;
        loop {
            let filter = AuditFilter { event_type: Some((*event_type).to_owned()), ..AuditFilter::default() };
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
