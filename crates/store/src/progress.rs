//! Queries of operations about the log, the cursors and the parked events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::cursors::{PARKED, Parked, ParkedStatus};
use crate::db::{Db, StoreError};
use crate::paging;
use crate::sql::Sql;
use crate::table::{Dialect, Kind, OnConflict, Table};
use kernel::event::EventType;
use kernel::page::Sort;
use kernel::page::{Page, PageRequest};

/// The order of dead letters: the latest first.
pub const LATEST_FIRST: Sort = Sort::time("-parked_at", "parked_at", true);

/// Dead letters, of one consumer or of all.
pub async fn dead_letters(
    db: &Db,
    consumer: Option<&str>,
    request: &PageRequest,
) -> Result<Page<Parked>, StoreError> {
    let narrow = |sql: Sql| {
        sql.filter("status = ?", [ParkedStatus::Dead.as_str().into()]).filter_some("consumer = ?", consumer)
    };
    let key = |row: &Parked| LATEST_FIRST.keyset(row.parked_at, row.id);
    paging::page(db, &PARKED, request, &LATEST_FIRST, narrow, key).await
}

/// How many events the log has. Those of each partition are numbered without a gap.
pub async fn events(db: &Db) -> Result<i64, StoreError> {
    db.number(Sql::new("SELECT CAST(CAST(coalesce(sum(last_seq), 0) AS BIGINT) AS TEXT) FROM slices")).await
}

/// How far a consumer is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Progress {
    /// Events of its types that took effect.
    pub applied: i64,
    /// Events of its types that it has not read yet.
    pub pending: i64,
    pub retrying: i64,
    pub waiting: i64,
    pub dead: i64,
}

/// How far a consumer is with the events of these types.
pub async fn progress(db: &Db, consumer: &str, types: &[EventType]) -> Result<Progress, StoreError> {
    static PROGRESS: Table = Table {
        name: "progress",
        columns: &[
            ("applied", Kind::Int),
            ("pending", Kind::Int),
            ("retrying", Kind::Int),
            ("waiting", Kind::Int),
            ("dead", Kind::Int),
        ],
        on_conflict: OnConflict::Fail,
        fence: "applied",
    };
    let parked = "SELECT count(*) FROM parked_events AS p WHERE p.consumer = (SELECT consumer FROM asked)";
    let sql = standing(db, consumer, types)?.push(
        &format!(
            "SELECT CAST(sum(applied) AS BIGINT) - ({parked}) AS applied, \
             CAST((SELECT sum((SELECT count(*) FROM events AS e WHERE e.slice = m.slice AND e.slice_seq > m.position \
              AND coalesce(e.type, '') IN (SELECT type FROM wanted))) FROM mine AS m) AS BIGINT) AS pending, \
             ({parked} AND p.status = 'retrying') AS retrying, \
             ({parked} AND p.status = 'waiting') AS waiting, \
             ({parked} AND p.status = 'dead') AS dead FROM mine"
        ),
        [],
    );
    one(db.rows_of(&PROGRESS, sql).await?)
}

/// The counts of a consumer's events by their fate (SPEC §8). The last three must always be 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integrity {
    /// Events of its types that took effect.
    pub applied: i64,
    /// Events that have not taken effect yet, parked ones among them.
    pub pending: i64,
    /// Events up to its positions that it has not counted.
    pub lost: i64,
    /// Events that it has counted, in excess of those up to its positions.
    pub duplicated: i64,
    /// Parked events after which a later event of their aggregate was applied, and positions beyond the end of the log.
    pub out_of_order: i64,
}

/// How many events of each type there are up to a position of each partition. The log is only added to, so that such a number
/// stays right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(BTreeMap<i64, CountedPartition>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CountedPartition {
    position: i64,
    events: BTreeMap<String, i64>,
}

/// What a consumer should have applied up to a position of a partition.
#[derive(Serialize)]
struct Due {
    slice: i64,
    position: i64,
    due: i64,
}

impl Counted {
    fn due(&self, types: &[EventType]) -> Vec<Due> {
        let due = |(slice, counted): (&i64, &CountedPartition)| {
            let of = |wanted: &EventType| counted.events.get(wanted.name());
            Due { slice: *slice, position: counted.position, due: types.iter().filter_map(of).sum() }
        };
        self.0.iter().map(due).collect()
    }
}

/// Events of each partition that one statement counts, some tenths of a second of work: a whole log of millions takes longer than a
/// statement may.
pub const COUNTED_AT_ONCE: i64 = 20_000;

/// Counts events that `counted` does not have, `at_once` of each partition at most; true if more may be left.
///
/// # Errors
/// The database's.
pub async fn count_further(db: &Db, counted: &mut Counted, at_once: i64) -> Result<bool, StoreError> {
    #[derive(Deserialize)]
    struct Group {
        slice: i64,
        position: i64,
        kind: Option<String>,
        events: i64,
    }
    static GROUPS: Table = Table {
        name: "groups",
        columns: &[
            ("slice", Kind::Int),
            ("position", Kind::Int),
            ("kind", Kind::Text),
            ("events", Kind::Int),
        ],
        on_conflict: OnConflict::Fail,
        fence: "position",
    };
    let sql = Sql::default()
        .push(&format!("WITH {}", known(db)), [serde_json::to_string(&counted.due(&[]))?.into()])
        .push(COUNTED_FURTHER, [at_once.into()]);
    let groups: Vec<Group> = db.rows_of(&GROUPS, sql).await?;
    let before = counted.clone();
    for Group { slice, position, kind, events } in groups {
        let partition = counted.0.entry(slice).or_default();
        partition.position = position;
        if let Some(kind) = kind {
            *partition.events.entry(kind).or_default() += events;
        }
    }
    let begins = |slice: &i64| before.0.get(slice).map_or(0, |partition| partition.position);
    Ok(counted.0.iter().any(|(slice, now)| now.position - begins(slice) >= at_once))
}

/// Compares a consumer's positions and counts with the log. Events that `counted` has are not counted again; it is brought up
/// to date.
///
/// # Errors
/// The database's.
pub async fn integrity(
    db: &Db,
    consumer: &str,
    types: &[EventType],
    counted: &mut Counted,
) -> Result<Integrity, StoreError> {
    static INTEGRITY: Table = Table {
        name: "integrity",
        columns: &[
            ("applied", Kind::Int),
            ("pending", Kind::Int),
            ("lost", Kind::Int),
            ("duplicated", Kind::Int),
            ("out_of_order", Kind::Int),
        ],
        on_conflict: OnConflict::Fail,
        fence: "applied",
    };
    while count_further(db, counted, COUNTED_AT_ONCE).await? {}
    let sql = standing(db, consumer, types)?
        .push(&format!(", {}", known(db)), [serde_json::to_string(&counted.due(types))?.into()])
        .push(COMPARED, []);
    one(db.rows_of(&INTEGRITY, sql).await?)
}

/// The table `known` of a query: how many events are due, and up to where, of the parameter's JSON.
fn known(db: &Db) -> String {
    let rows = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT value ->> '$.slice', value ->> '$.position', value ->> '$.due' FROM json_each(?)"
        }
        Dialect::Postgres => {
            "SELECT slice, position, due FROM json_to_recordset(?::json) \
             AS r(slice BIGINT, position BIGINT, due BIGINT)"
        }
    };
    format!("known (slice, position, due) AS ({rows})")
}

/// Counts to the end of each partition, or so many events further. The outer join has the databases begin with the partitions.
const COUNTED_FURTHER: &str = ", \
begun AS (SELECT s.slice, s.last_seq, coalesce(k.position, 0) AS begins FROM slices AS s LEFT JOIN known AS k ON k.slice = s.slice), \
stepped AS ( \
    SELECT slice, begins, CASE WHEN last_seq > begins + at_once THEN begins + at_once ELSE last_seq END AS ends \
    FROM begun CROSS JOIN (SELECT CAST(? AS BIGINT) AS at_once) AS a \
) \
SELECT s.slice AS slice, s.ends AS position, e.type AS kind, count(e.id) AS events \
FROM stepped AS s LEFT JOIN events AS e ON e.slice = s.slice AND e.slice_seq > s.begins AND e.slice_seq <= s.ends \
GROUP BY s.slice, s.ends, e.type";

/// Compares each partition by itself: too few in one must not make up for too many in another.
const COMPARED: &str = ", \
begun AS ( \
    SELECT m.*, coalesce(k.position, 0) AS known_to, coalesce(k.due, 0) AS known \
    FROM mine AS m LEFT JOIN known AS k ON k.slice = m.slice \
), \
counted AS ( \
    SELECT b.position, b.last_seq, b.applied, b.known \
        + (SELECT count(*) FROM events AS e WHERE e.slice = b.slice AND e.slice_seq > b.known_to \
            AND e.slice_seq <= b.position AND coalesce(e.type, '') IN (SELECT type FROM wanted)) \
        - (SELECT count(*) FROM events AS e WHERE e.slice = b.slice AND e.slice_seq > b.position \
            AND e.slice_seq <= b.known_to AND coalesce(e.type, '') IN (SELECT type FROM wanted)) AS due, \
        (SELECT count(*) FROM events AS e WHERE e.slice = b.slice AND e.slice_seq > b.position \
            AND coalesce(e.type, '') IN (SELECT type FROM wanted)) AS beyond \
    FROM begun AS b \
), \
parked AS ( \
    SELECT CASE WHEN EXISTS ( \
        SELECT 1 FROM events AS e JOIN mine AS m ON m.slice = e.slice \
        WHERE e.subject = p.subject AND e.slice_seq > p.slice_seq AND e.slice_seq <= m.position \
            AND coalesce(e.type, '') IN (SELECT type FROM wanted) \
            AND NOT EXISTS (SELECT 1 FROM parked_events AS q WHERE q.consumer = p.consumer AND q.event_id = e.id) \
    ) THEN 1 ELSE 0 END AS overtaken \
    FROM parked_events AS p WHERE p.consumer = (SELECT consumer FROM asked) \
) \
SELECT CAST(sum(applied) AS BIGINT) - (SELECT count(*) FROM parked) AS applied, \
    CAST(sum(beyond) AS BIGINT) + (SELECT count(*) FROM parked) AS pending, \
    CAST(sum(CASE WHEN due > applied THEN due - applied ELSE 0 END) AS BIGINT) AS lost, \
    CAST(sum(CASE WHEN applied > due THEN applied - due ELSE 0 END) AS BIGINT) AS duplicated, \
    CAST(sum(CASE WHEN position > last_seq THEN 1 ELSE 0 END) AS BIGINT) \
        + (SELECT CAST(coalesce(sum(overtaken), 0) AS BIGINT) FROM parked) AS out_of_order \
FROM counted";

/// The beginning of all queries: the consumer (`asked`), the types (`wanted`) and the cursors with their
/// partitions (`mine`); a partition without a cursor is at its beginning. Types are compared by `coalesce`, which keeps the databases from the index of
/// types: its rows are those of the whole log.
fn standing(db: &Db, consumer: &str, types: &[EventType]) -> Result<Sql, StoreError> {
    let with = format!(
        "WITH asked (consumer) AS (SELECT CAST(? AS TEXT)), wanted (type) AS ({}), \
         mine AS (SELECT s.slice, s.last_seq, coalesce(c.position, 0) AS position, coalesce(c.applied, 0) AS applied \
         FROM slices AS s LEFT JOIN consumer_cursors AS c \
         ON c.slice = s.slice AND c.consumer = (SELECT consumer FROM asked)) ",
        db.dialect().texts()
    );
    Ok(Sql::default().push(&with, [consumer.into(), serde_json::to_string(types)?.into()]))
}

/// The only row of an aggregate query.
fn one<T>(rows: Vec<T>) -> Result<T, StoreError> {
    rows.into_iter().next().ok_or_else(|| StoreError::Failed("an aggregate without a row".into()))
}
