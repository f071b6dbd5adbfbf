//! Subscriptions, their positions and leases, and the leases that were acknowledged.

use std::time::Duration;

use domain::subscription::leases::PartitionState;
use domain::subscription::record::{Ack, Subscription};
use kernel::clock::Timestamp;
use kernel::event::EventType;
use kernel::ids::Id;
use serde::{Deserialize, Serialize};
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

pub static SUBSCRIPTIONS: Table = Table {
    name: "subscriptions",
    columns: &[
        ("id", Kind::Text),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("key", Kind::Id),
        ("types", Kind::Json),
        ("begins", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

pub static SUBSCRIPTION_PARTITIONS: Table = Table {
    name: "subscription_partitions",
    columns: &[
        ("id", Kind::Text),
        ("subscription", Kind::Text),
        ("slice", Kind::Int),
        ("version", Kind::Int),
        ("position", Kind::Int),
        ("lease", Kind::Id),
        ("lease_size", Kind::Int),
        ("leased_to", Kind::Int),
        ("leased_until", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

pub static SUBSCRIPTION_ACKS: Table = Table {
    name: "subscription_acks",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("subscription", Kind::Text),
        ("acked_at", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// How long it is known that a lease was acknowledged.
pub const ACKS_KEPT: Duration = Duration::from_hours(1);
/// Unread events of a partition whose types are looked at when they are counted.
const COUNTED: i64 = 1_000;

#[derive(Serialize, Deserialize)]
struct AckRow {
    id: Id,
    version: i64,
    subscription: String,
    acked_at: Timestamp,
}

/// The subscription of this name.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn find(db: &Db, name: &str) -> Result<Option<Subscription>, StoreError> {
    let found = db.rows(&SUBSCRIPTIONS, Sql::default().filter("id = ?", [name.into()])).await?;
    Ok(found.into_iter().next())
}

/// Every subscription, by name.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn all(db: &Db) -> Result<Vec<Subscription>, StoreError> {
    db.rows(&SUBSCRIPTIONS, Sql::default().push(" ORDER BY id", [])).await
}

/// How many subscriptions there are.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn count(db: &Db) -> Result<i64, StoreError> {
    db.number(Sql::new("SELECT CAST(count(*) AS TEXT) FROM subscriptions")).await
}

/// The states of a subscription in the partitions, in their order.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn partitions(db: &Db, name: &str) -> Result<Vec<PartitionState>, StoreError> {
    let of = Sql::default().filter("subscription = ?", [name.into()]);
    db.rows(&SUBSCRIPTION_PARTITIONS, of.push(" ORDER BY slice", [])).await
}

/// Stores a partition that is new.
pub fn begin(state: &PartitionState) -> Write {
    Write::put(&SUBSCRIPTION_PARTITIONS, &state.id, state).expecting(0)
}

/// Stores a partition in the place of what it was.
pub fn replace(before: &PartitionState, after: &PartitionState) -> Write {
    Write::put(&SUBSCRIPTION_PARTITIONS, &after.id, after).expecting(before.version)
}

/// Deletes a partition, whoever has changed it.
pub fn end(state: &PartitionState) -> Write {
    Write::delete(&SUBSCRIPTION_PARTITIONS, &state.id)
}

/// Stores a subscription, on condition that the stored one has this version; 0: there is none.
pub fn store(subscription: &Subscription, expected: i64) -> Write {
    Write::put(&SUBSCRIPTIONS, &subscription.name, subscription).expecting(expected)
}

/// Deletes a subscription, on condition that it has not changed.
pub fn remove(subscription: &Subscription) -> Write {
    Write::delete(&SUBSCRIPTIONS, &subscription.name).expecting(subscription.version)
}

/// Notes that a lease was acknowledged, on condition that this was not noted before.
pub fn note(subscription: &str, ack: &Ack) -> Write {
    let row = AckRow {
        id: ack.lease,
        version: 1,
        subscription: subscription.to_owned(),
        acked_at: ack.acknowledged_at,
    };
    Write::put(&SUBSCRIPTION_ACKS, ack.lease, &row).expecting(0)
}

/// The acknowledgement of a lease of this subscription, if there was one.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn acknowledged(db: &Db, subscription: &str, lease: Id) -> Result<Option<Ack>, StoreError> {
    let row: Option<AckRow> = db.row(&SUBSCRIPTION_ACKS, lease).await?;
    Ok(row.filter(|row| row.subscription == subscription).map(|row| Ack::new(row.id, row.acked_at)))
}

/// How many events of these types (of all, if there are none) its readers have not acknowledged. It looks at a bounded
/// number of events: what is further behind counts whatever its type.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn pending(db: &Db, name: &str, types: &[EventType]) -> Result<i64, StoreError> {
    let unread = if types.is_empty() {
        Sql::new("SELECT s.last_seq - p.position AS unread")
    } else {
        let counted = format!(
            "SELECT max(s.last_seq - p.position - {COUNTED}, 0) + (SELECT count(*) FROM events AS e \
             WHERE e.slice = p.slice AND e.slice_seq > p.position AND e.slice_seq <= p.position + {COUNTED} \
             AND coalesce(e.type, '') IN ({})) AS unread",
            db.dialect().texts()
        );
        let counted = match db.dialect() {
            store::table::Dialect::Sqlite => counted,
            store::table::Dialect::Postgres => counted.replacen("max(", "greatest(", 1),
        };
        Sql::default().push(&counted, [serde_json::to_string(types)?.into()])
    };
    let unread = unread
        .push(" FROM subscription_partitions AS p JOIN slices AS s ON s.slice = p.slice", [])
        .filter("p.subscription = ?", [name.into()]);
    db.number(unread.wrapped(|unread| {
        format!("SELECT CAST(CAST(coalesce(sum(unread), 0) AS BIGINT) AS TEXT) FROM ({unread}) AS u")
    }))
    .await
}

/// Forgets leases that were acknowledged before a time, at most `limit`; returns how many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn purge(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let old = Sql::new("DELETE FROM subscription_acks WHERE id IN (SELECT id FROM subscription_acks")
        .filter("acked_at < ?", [before.into()])
        .limit(limit)
        .push(")", []);
    db.execute(old).await
}
