//! What others have changed in a user's records, and how far the user has seen it.

use serde::{Deserialize, Serialize};

use domain::events::TASK_DUE_SOON;
use kernel::clock::Timestamp;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::log;
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};
use store::unit_of_work::Write;

/// The newest events of a user's records that are looked at: among them are the user's own, which are no news.
const LOOKED_AT: i64 = 1_000;

/// A position never goes back.
pub static NEWS_POSITIONS: Table = Table {
    name: "news_positions",
    columns: &[("id", Kind::Id), ("version", Kind::Int)],
    on_conflict: OnConflict::Newer,
    fence: "version",
};

#[derive(Serialize, Deserialize)]
struct Row {
    id: Id,
    #[serde(rename = "version")]
    position: i64,
}

/// The user has seen what the log has up to this position.
pub fn seen_write(user: Id, position: i64) -> Write {
    Write::put(&NEWS_POSITIONS, user, &Row { id: user, position })
}

/// How far a user has seen the log; `None` before the first time.
pub async fn seen(db: &Db, user: Id) -> Result<Option<i64>, StoreError> {
    Ok(db.row::<Row>(&NEWS_POSITIONS, user).await?.map(|row| row.position))
}

/// When the event at a position of the log was made; `None` without such an event.
pub async fn time_of(db: &Db, position: i64) -> Result<Option<Timestamp>, StoreError> {
    let at = log::read(db, Sql::default().filter("log_seq = ?", [position.into()])).await?;
    Ok(at.first().map(|event| event.event.time))
}

/// Up to where in the log a consumer of these types has applied everything.
pub async fn applied(db: &Db, consumer: &str, types: &[EventType]) -> Result<i64, StoreError> {
    let names = serde_json::to_string(&types.iter().map(|one| one.name()).collect::<Vec<_>>())?;
    let texts = db.dialect().texts();
    // The head first: what is committed after it is no part of the answer.
    let head = log::head(db).await?;
    // PostgreSQL may read the whole log for it, if it is left another way than position by position.
    let from = match db.dialect() {
        Dialect::Sqlite => "JOIN events AS e ON e.slice = c.slice AND e.slice_seq > c.position",
        Dialect::Postgres => {
            "CROSS JOIN LATERAL (SELECT log_seq, type FROM events \
             WHERE slice = c.slice AND slice_seq > c.position OFFSET 0) AS e"
        }
    };
    let waits = Sql::new(format!("SELECT CAST(min(e.log_seq) AS TEXT) FROM consumer_cursors AS c {from}"))
        .filter("c.consumer = ?", [consumer.into()])
        .filter(&format!("e.type IN ({texts})"), [names.into()]);
    let first_waiting = db.text(waits).await?.and_then(|text| text.parse::<i64>().ok());
    Ok(first_waiting.map_or(head, |first| head.min(first - 1)))
}

/// The events of a user's records that others caused, the newest first: after a position of the log, and made after a
/// time. At most `limit`, among the newest 1,000.
pub async fn news(
    db: &Db,
    user: Id,
    after: Option<i64>,
    made_after: Timestamp,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let floor = Id::earliest(made_after);
    let newest = |column: &str| {
        format!(
            "SELECT id FROM (SELECT id FROM customer_activity WHERE {column} = ? AND id > ? \
             ORDER BY id DESC LIMIT {LOOKED_AT}) AS {column}s"
        )
    };
    let events = format!("{} UNION {}", newest("owner_id"), newest("previous_owner_id"));
    // As an array: each event is found by its id, also where PostgreSQL expects to find them sooner in the order of the log.
    let own = match db.dialect() {
        Dialect::Sqlite => format!("id IN ({events})"),
        Dialect::Postgres => format!("id = ANY (ARRAY({events}))"),
    };
    let tail = Sql::default()
        .filter(&own, [user.into(), floor.into(), user.into(), floor.into()])
        .filter("actor_id IS DISTINCT FROM ?", [user.into()])
        .filter("type <> ?", [TASK_DUE_SOON.name().into()])
        .filter_some("log_seq > ?", after)
        .push(" ORDER BY id DESC", [])
        .limit(limit);
    log::read(db, tail).await
}
