//! The security log. Entries about a session are committed with its change; refusals are counted beside the journal,
//! because nothing else is committed with them.

use domain::security::messages::{NEWEST_FIRST, SecurityFilter};
use domain::security::record::{SecurityEntry, SecurityKind};
use kernel::clock::Timestamp;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::{Arg, Sql};
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

pub static SECURITY_LOG: Table = Table {
    name: "security_log",
    columns: &[
        ("id", Kind::Id),
        ("kind", Kind::Text),
        ("at", Kind::Time),
        ("last_at", Kind::Time),
        ("count", Kind::Int),
        ("user_id", Kind::Id),
        ("session_id", Kind::Id),
        ("actor_id", Kind::Id),
        ("address", Kind::Text),
        ("agent", Kind::Text),
    ],
    on_conflict: OnConflict::Fail,
    fence: "count",
};

/// Adds an entry.
pub fn entry_write(entry: &SecurityEntry) -> Write {
    Write::put(&SECURITY_LOG, entry.id, entry)
}

/// Adds a refusal, or counts it with those before it that have the same `aggregate`; returns how many they are now.
pub async fn add_refusal(db: &Db, entry: &SecurityEntry, aggregate: &str) -> Result<i64, StoreError> {
    let SecurityEntry { id, kind, at, user_id, session_id, actor_id, address, agent, .. } = entry.clone();
    let optional = |value: Option<Arg>| {
        value.map_or_else(|| ("NULL".to_owned(), None), |value| ("?".to_owned(), Some(value)))
    };
    let columns = [
        ("id", optional(Some(id.into()))),
        ("kind", optional(Some(kind.as_str().into()))),
        ("at", optional(Some(at.into()))),
        ("last_at", optional(Some(at.into()))),
        ("count", ("1".to_owned(), None)),
        ("user_id", optional(user_id.map(Arg::from))),
        ("session_id", optional(session_id.map(Arg::from))),
        ("actor_id", optional(actor_id.map(Arg::from))),
        ("address", optional(address.map(|address| address.to_string().into()))),
        ("agent", optional(agent.map(Arg::from))),
        ("aggregate", optional(Some(aggregate.into()))),
    ];
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut sql = Sql::new(format!("INSERT INTO security_log ({}) VALUES (", names.join(", ")));
    for (place, (_, (text, value))) in columns.into_iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        sql = match value {
            Some(value) => sql.push(&format!("{comma}{text}"), [value]),
            None => sql.push(&format!("{comma}{text}"), []),
        };
    }
    let sql = sql
        .push(
            ") ON CONFLICT (aggregate) DO UPDATE SET count = security_log.count + 1, last_at = ?",
            [at.into()],
        )
        .push(" RETURNING CAST(count AS TEXT)", []);
    let on = db.clone();
    let task = db.runtime().spawn(async move {
        let mut tx = on.begin().await?;
        let count = tx.text(&sql).await?;
        tx.commit().await.map(|()| count)
    });
    let count = task.await.map_err(|_| StoreError::Unavailable("a statement was cut off".into()))??;
    let count = count.unwrap_or_default();
    count.parse().map_err(|_| StoreError::Failed(format!("not a number: {count}")))
}

/// The entries, newest first.
pub async fn list(
    db: &Db,
    filter: &SecurityFilter,
    request: &PageRequest,
) -> Result<Page<SecurityEntry>, StoreError> {
    let narrow = |sql: Sql| {
        sql.filter_some("kind = ?", filter.kind.map(SecurityKind::as_str))
            .filter_some("user_id = ?", filter.user_id)
            .filter_some("address = ?", filter.address.map(|address| address.to_string()))
            .filter_some("at >= ?", filter.from)
            .filter_some("at < ?", filter.to)
    };
    let key = |entry: &SecurityEntry| NEWEST_FIRST.keyset(entry.at, entry.id);
    paging::page(db, &SECURITY_LOG, request, &NEWEST_FIRST, narrow, key).await
}

/// Deletes entries from before `before`, and the oldest beyond so many refusals and so many others; `limit` at a time.
/// Returns how many.
pub async fn purge(
    db: &Db,
    before: Timestamp,
    kept: [(&'static str, i64); 2],
    limit: i64,
) -> Result<u64, StoreError> {
    let delete = || Sql::new("DELETE FROM security_log WHERE id IN (SELECT id FROM security_log");
    let old = || delete().filter("last_at < ?", [before.into()]).limit(limit).push(")", []);
    let mut purged = all(db, limit, old).await?;
    for (condition, kept) in kept {
        let beyond = || {
            delete()
                .filter(condition, [])
                .push(" ORDER BY last_at DESC, id DESC", [])
                .limit(limit)
                .push(" OFFSET ? + 0)", [kept.into()])
        };
        purged += all(db, limit, beyond).await?;
    }
    Ok(purged)
}

/// The rows that count refusals, and the others.
pub const REFUSALS: &str = "aggregate IS NOT NULL";
pub const OTHERS: &str = "aggregate IS NULL";

/// Runs a deletion until it finds nothing more: what attackers cause comes faster than one purge.
async fn all(db: &Db, limit: i64, delete: impl Fn() -> Sql) -> Result<u64, StoreError> {
    let mut purged = 0;
    loop {
        let gone = db.execute(delete()).await?;
        purged += gone;
        if gone < u64::try_from(limit).unwrap_or(u64::MAX) {
            return Ok(purged);
        }
    }
}
