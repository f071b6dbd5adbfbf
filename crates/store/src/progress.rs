//! Queries of operations about the log, the cursors and the parked events.

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

/// How many events of a consumer's types there are up to a position of each partition. The log is only added to, so that such a
/// number stays right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted(Vec<CountedPartition>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CountedPartition {
    slice: i64,
    position: i64,
    due: i64,
}

/// Events of each partition that one statement counts, some tenths of a second of work: a whole log of millions takes longer than a
/// statement may.
pub const COUNTED_AT_ONCE: i64 = 20_000;

/// Counts events up to a consumer's positions that `counted` does not have, `at_once` of each partition; true if more may be left.
///
/// # Errors
/// The database's.
pub async fn count_further(
    db: &Db,
    consumer: &str,
    types: &[EventType],
    counted: &mut Counted,
    at_once: i64,
) -> Result<bool, StoreError> {
    static COUNTED: Table = Table {
        name: "counted",
        columns: &[("slice", Kind::Int), ("position", Kind::Int), ("due", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "position",
    };
    let sql = beginning(db, consumer, types, counted)?.push(COUNTED_FURTHER, [at_once.into()]);
    let further: Vec<CountedPartition> = db.rows_of(&COUNTED, sql).await?;
    let is_more = further.iter().any(|now| {
        let known = counted.0.iter().find(|known| known.slice == now.slice && known.position <= now.position);
        now.position - known.map_or(0, |known| known.position) >= at_once
    });
    counted.0 = further;
    Ok(is_more)
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
    while count_further(db, consumer, types, counted, COUNTED_AT_ONCE).await? {}
    let sql = beginning(db, consumer, types, counted)?.push(COMPARED, []);
    one(db.rows_of(&INTEGRITY, sql).await?)
}

/// Counts as far as the position of each partition, or so many events further. A position beyond the end of the log may have
/// events before it later.
const COUNTED_FURTHER: &str = ", \
ended AS ( \
    SELECT slice, begins, due, CASE WHEN position > last_seq THEN last_seq ELSE position END AS ends FROM begun \
), \
stepped AS ( \
    SELECT slice, begins, due, CASE WHEN ends > begins + at_once THEN begins + at_once ELSE ends END AS ends \
    FROM ended CROSS JOIN (SELECT CAST(? AS BIGINT) AS at_once) AS a \
) \
SELECT slice, ends AS position, due + \
    (SELECT count(*) FROM events AS e WHERE e.slice = s.slice AND e.slice_seq > s.begins AND e.slice_seq <= s.ends \
        AND coalesce(e.type, '') IN (SELECT type FROM wanted)) AS due \
FROM stepped AS s ORDER BY slice";

/// The beginning of both statements: how many events are known to be due, and up to where, in each partition (`begun`).
fn beginning(db: &Db, consumer: &str, types: &[EventType], known: &Counted) -> Result<Sql, StoreError> {
    let known_rows = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT value ->> '$.slice', value ->> '$.position', value ->> '$.due' FROM json_each(?)"
        }
        Dialect::Postgres => {
            "SELECT slice, position, due FROM json_to_recordset(?::json) \
             AS r(slice BIGINT, position BIGINT, due BIGINT)"
        }
    };
    // A position may have been put back since.
    let begun = format!(
        ", known (slice, position, due) AS ({known_rows}), begun AS ( \
            SELECT m.*, coalesce(k.position, 0) AS begins, coalesce(k.due, 0) AS due \
            FROM mine AS m LEFT JOIN known AS k ON k.slice = m.slice AND k.position <= m.position \
        )"
    );
    let sql = standing(db, consumer, types)?;
    Ok(sql.push(&begun, [serde_json::to_string(&known.0)?.into()]))
}

/// Compares each partition by itself: too few in one must not make up for too many in another.
const COMPARED: &str = ", \
counted AS ( \
    SELECT b.position, b.last_seq, b.applied, b.due \
        + (SELECT count(*) FROM events AS e WHERE e.slice = b.slice AND e.slice_seq > b.begins \
            AND e.slice_seq <= b.position AND coalesce(e.type, '') IN (SELECT type FROM wanted)) AS due, \
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
