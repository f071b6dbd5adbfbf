//! API keys, and when each was last used. The latter is written beside the journal, because nothing else is committed with
//! it, and it stands beside the key's row, so that it is no change of the key.

use std::collections::HashMap;

use domain::api_key::messages::KEYS_NEWEST_FIRST;
use domain::api_key::record::{ApiKey, ApiKeyView};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use serde::Deserialize;
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

pub static API_KEYS: Table = Table {
    name: "api_keys",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("name", Kind::Text),
        ("prefix", Kind::Text),
        ("scopes", Kind::Json),
        ("role", Kind::Text),
        ("user_id", Kind::Id),
        ("expires_at", Kind::Time),
        ("revoked_at", Kind::Time),
        ("secret_hash", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

static API_KEY_USES: Table = Table {
    name: "api_key_uses",
    columns: &[("id", Kind::Id), ("used_at", Kind::Time)],
    on_conflict: OnConflict::Replace,
    fence: "used_at",
};

#[derive(Deserialize)]
struct LastUse {
    id: Id,
    used_at: Timestamp,
}

/// The keys that are not revoked, the newest first.
pub async fn list(db: &Db, request: &PageRequest) -> Result<Page<ApiKeyView>, StoreError> {
    let narrow = |sql: Sql| sql.filter("revoked_at IS NULL", []);
    let key = |key: &ApiKey| KEYS_NEWEST_FIRST.keyset(key.created_at, key.id);
    let page: Page<ApiKey> = paging::page(db, &API_KEYS, request, &KEYS_NEWEST_FIRST, narrow, key).await?;
    let ids: Vec<Id> = page.items.iter().map(|key| key.id).collect();
    let uses = uses(db, &ids).await?;
    Ok(page.map(|key| {
        let used_at = uses.get(&key.id).copied();
        ApiKeyView::new(key, used_at)
    }))
}

async fn uses(db: &Db, ids: &[Id]) -> Result<HashMap<Id, Timestamp>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(ids)?.into()]);
    let uses: Vec<LastUse> = db.rows(&API_KEY_USES, tail).await?;
    Ok(uses.into_iter().map(|last| (last.id, last.used_at)).collect())
}

/// How many keys are not revoked.
pub async fn count(db: &Db) -> Result<i64, StoreError> {
    db.number(Sql::new("SELECT CAST(count(*) AS TEXT) FROM api_keys").filter("revoked_at IS NULL", [])).await
}

/// Notes when a key was used, unless a later use is known.
pub async fn note_use(db: &Db, id: Id, at: Timestamp) -> Result<(), StoreError> {
    let sql = Sql::new("INSERT INTO api_key_uses (id, used_at)")
        .push(" VALUES (?, ?)", [id.into(), at.into()])
        .push(" ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at", [])
        .push(" WHERE api_key_uses.used_at < excluded.used_at", []);
    db.execute(sql).await.map(drop)
}

/// Deletes keys that were revoked before `before`, at most `limit`, and what is known of their use; returns how many.
pub async fn purge(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let old = Sql::new("DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys")
        .filter("revoked_at < ?", [before.into()])
        .limit(limit)
        .push(")", []);
    let purged = db.execute(old).await?;
    if purged > 0 {
        db.execute(Sql::new("DELETE FROM api_key_uses WHERE id NOT IN (SELECT id FROM api_keys)")).await?;
    }
    Ok(purged)
}
