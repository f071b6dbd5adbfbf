//! Deliveries of events to webhooks.

use std::collections::BTreeMap;

use domain::webhook::delivery::{Delivery, DeliveryState};
use domain::webhook::messages::NEWEST_FIRST;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use serde::Deserialize;
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

use crate::persistence::webhooks::DELETED_WEBHOOKS;

/// What a delivery is, without what came of its last try.
const WHAT: [(&str, Kind); 13] = [
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("webhook_id", Kind::Id),
    ("event_id", Kind::Id),
    ("event_type", Kind::Text),
    ("partition_key", Kind::Id),
    ("slice", Kind::Int),
    ("slice_seq", Kind::Int),
    ("created_at", Kind::Time),
    ("state", Kind::Text),
    ("tries", Kind::Int),
    ("next_try_at", Kind::Time),
    ("ended_at", Kind::Time),
];

pub static DELIVERIES: Table = Table {
    name: "webhook_deliveries",
    columns: &[
        WHAT[0],
        WHAT[1],
        WHAT[2],
        WHAT[3],
        WHAT[4],
        WHAT[5],
        WHAT[6],
        WHAT[7],
        WHAT[8],
        WHAT[9],
        WHAT[10],
        WHAT[11],
        WHAT[12],
        ("tried_at", Kind::Time),
        ("took_ms", Kind::Int),
        ("signature", Kind::Text),
        ("status", Kind::Int),
        ("answer", Kind::Text),
        ("failure", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// A delivery without what came of its last try, for those who keep many in memory.
static LIGHT: Table =
    Table { name: "webhook_deliveries", columns: &WHAT, on_conflict: OnConflict::Fail, fence: "version" };

/// Stores a delivery in the place of the version before.
pub fn replace(delivery: &Delivery) -> Write {
    Write::put(&DELIVERIES, delivery.id, delivery).expecting(delivery.version - 1)
}

/// Stores a delivery that is new for certain.
pub fn add(delivery: &Delivery) -> Write {
    Write::put(&DELIVERIES, delivery.id, delivery)
}

/// The deliveries of a webhook in these partitions that have not ended, in the order of the log.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn pending(
    db: &Db,
    webhook: Id,
    partitions: impl Iterator<Item = i64>,
) -> Result<Vec<Delivery>, StoreError> {
    let partitions: Vec<String> = partitions.map(|partition| partition.to_string()).collect();
    let tail = Sql::default()
        .filter("webhook_id = ?", [webhook.into()])
        .filter("state = 'pending'", [])
        .filter(&format!("slice IN ({})", partitions.join(", ")), [])
        .push(" ORDER BY slice, slice_seq", []);
    db.rows(&LIGHT, tail).await
}

/// The deliveries with these ids, without what came of their last tries.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn by_ids(db: &Db, ids: &[Id]) -> Result<Vec<Delivery>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    db.rows(&LIGHT, Sql::default().filter(&chosen, [serde_json::to_string(ids)?.into()])).await
}

/// A delivery of a webhook.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn find(db: &Db, webhook: Id, id: Id) -> Result<Option<Delivery>, StoreError> {
    let found: Option<Delivery> = db.row(&DELIVERIES, id).await?;
    Ok(found.filter(|delivery| delivery.webhook_id == webhook))
}

/// The deliveries of a webhook, the newest first.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn list(
    db: &Db,
    webhook: Id,
    state: Option<DeliveryState>,
    request: &PageRequest,
) -> Result<Page<Delivery>, StoreError> {
    let narrow = |sql: Sql| {
        let sql = sql.filter("webhook_id = ?", [webhook.into()]);
        sql.filter_some("state = ?", state.map(DeliveryState::as_str))
    };
    let key = |row: &Delivery| NEWEST_FIRST.keyset(row.created_at, row.id);
    paging::page(db, &DELIVERIES, request, &NEWEST_FIRST, narrow, key).await
}

/// How many deliveries of each webhook wait, and how many are dead.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn counts(db: &Db) -> Result<BTreeMap<Id, (i64, i64)>, StoreError> {
    static COUNTS: Table = Table {
        name: "counts",
        columns: &[("id", Kind::Id), ("pending", Kind::Int), ("dead", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "id",
    };
    #[derive(Deserialize)]
    struct Count {
        id: Id,
        pending: i64,
        dead: i64,
    }
    let of = |state: &str| {
        format!(
            "(SELECT count(*) FROM webhook_deliveries AS d WHERE d.webhook_id = w.id AND d.state = '{state}')"
        )
    };
    let sql = format!("SELECT w.id, {} AS pending, {} AS dead FROM webhooks AS w", of("pending"), of("dead"));
    let counts: Vec<Count> = db.rows_of(&COUNTS, Sql::new(sql)).await?;
    Ok(counts.into_iter().map(|count| (count.id, (count.pending, count.dead))).collect())
}

/// The most statements of a purge: a busy webhook ends hundreds of deliveries a second.
const PURGE_STATEMENTS: usize = 200;

/// Deletes deliveries that ended before this time, and those of deleted webhooks, `limit` in a statement; returns how many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn purge(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let old = || Sql::default().filter("ended_at < ?", [before.into()]);
    let mut purged = delete_all(db, limit, old).await?;
    let tail = Sql::default().push(" ORDER BY id", []).limit(10);
    for Deleted { id } in db.rows(&DELETED_WEBHOOKS, tail).await? {
        purged += delete_all(db, limit, || Sql::default().filter("webhook_id = ?", [id.into()])).await?;
        let rest = Sql::new("SELECT CAST(count(*) AS TEXT) FROM (SELECT 1 FROM webhook_deliveries");
        let rest = rest.filter("webhook_id = ?", [id.into()]).push(" LIMIT 1) AS rest", []);
        if db.number(rest).await? == 0 {
            db.execute(Sql::default().push("DELETE FROM deleted_webhooks WHERE id = ?", [id.into()])).await?;
        }
    }
    Ok(purged)
}

#[derive(Deserialize)]
struct Deleted {
    id: Id,
}

async fn delete_all(db: &Db, limit: i64, which: impl Fn() -> Sql) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for _ in 0..PURGE_STATEMENTS {
        let some = which().limit(limit).wrapped(|which| {
            format!("DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries{which})")
        });
        let rows = db.execute(some).await?;
        deleted += rows;
        if i64::try_from(rows).is_ok_and(|rows| rows < limit) {
            break;
        }
    }
    Ok(deleted)
}
