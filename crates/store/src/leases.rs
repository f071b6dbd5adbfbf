//! The leases of a cluster's nodes. PostgreSQL's clock decides which nodes are alive, not the clock of a node.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::db::{Db, StoreError};
use crate::sql::Sql;
use crate::table::{Kind, OnConflict, Table};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::simulation::mutant;

pub static NODES: Table = Table {
    name: "nodes",
    columns: &[
        ("id", Kind::Text),
        ("incarnation", Kind::Id),
        ("address", Kind::Text),
        ("services", Kind::Json),
        ("version", Kind::Text),
        ("started_at", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "expires_at",
};

/// A member of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The node's id, which it keeps when it restarts.
    pub id: String,
    /// The process: a restart has another.
    pub incarnation: Id,
    /// The address of its API, once it listens.
    pub address: Option<String>,
    pub services: Vec<String>,
    /// The version of its program.
    pub version: String,
    pub started_at: Timestamp,
}

/// Takes or renews the lease of `me` for `lasts` from now; false while another process holds an unexpired lease under
/// the same name.
pub async fn renew(db: &Db, me: &Member, lasts: Duration) -> Result<bool, StoreError> {
    let sql = Sql::new(
        "INSERT INTO nodes (id, incarnation, address, services, version, started_at, expires_at)",
    )
    .push(
        " VALUES (?, ?, nullif(?, ''), CAST(? AS JSON), ?, ?, now() + make_interval(secs => ? / 1000.0))",
        [
            me.id.as_str().into(),
            me.incarnation.into(),
            me.address.as_deref().unwrap_or_default().into(),
            serde_json::to_string(&me.services)?.into(),
            me.version.as_str().into(),
            me.started_at.into(),
            i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX).into(),
        ],
    )
    .push(
        " ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, address = excluded.address, \
         services = excluded.services, version = excluded.version, started_at = excluded.started_at, \
         expires_at = excluded.expires_at",
        [],
    );
    let fence = " WHERE nodes.incarnation = excluded.incarnation OR nodes.expires_at <= now()";
    let sql = if mutant("no-lease-fence") { sql } else { sql.push(fence, []) };
    Ok(db.execute(sql).await? == 1)
}

/// Deletes the lease; the other nodes see that at their next read.
pub async fn release(db: &Db, me: &Member) -> Result<(), StoreError> {
    let sql = Sql::new("DELETE FROM nodes")
        .filter("id = ?", [me.id.as_str().into()])
        .filter("incarnation = ?", [me.incarnation.into()]);
    db.execute(sql).await.map(drop)
}

/// A node's lease.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lease {
    #[serde(flatten)]
    pub member: Member,
    /// Milliseconds until it expires, unless it is renewed.
    pub left: u64,
    /// PostgreSQL's time when the lease was read, in microseconds since 1970.
    pub read_at: i64,
}

impl Lease {
    /// How long until it expires.
    pub fn left(&self) -> Duration {
        Duration::from_millis(self.left)
    }
}

/// Every lease that has not expired, by the node's id.
pub async fn leases(db: &Db) -> Result<Vec<Lease>, StoreError> {
    let left = "CAST(ceil(extract(epoch FROM expires_at - now()) * 1000) AS bigint) AS left, \
        CAST(extract(epoch FROM now()) * 1000000 AS bigint) AS read_at";
    let columns = NODES.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {columns}, {left} FROM nodes WHERE expires_at > now() ORDER BY id");
    db.rows_of(&NODES, Sql::new(sql)).await
}

/// PostgreSQL's time, in microseconds since 1970.
pub async fn time(db: &Db) -> Result<i64, StoreError> {
    db.number(Sql::new("SELECT CAST(CAST(extract(epoch FROM now()) * 1000000 AS bigint) AS TEXT)")).await
}

/// Every node whose lease has not expired, by name.
pub async fn living(db: &Db) -> Result<Vec<Member>, StoreError> {
    Ok(leases(db).await?.into_iter().map(|lease| lease.member).collect())
}

/// Deletes nodes that have been gone for a day: a generated name never comes back.
pub async fn forget_gone(db: &Db) -> Result<u64, StoreError> {
    db.execute(Sql::new("DELETE FROM nodes WHERE expires_at < now() - interval '1 day'")).await
}

/// The id of this database's cluster, which tells it from other clusters on the same Redis.
pub async fn cluster(db: &Db) -> Result<Id, StoreError> {
    let id = db.text(Sql::new("SELECT CAST(id AS TEXT) FROM cluster LIMIT 1")).await?;
    id.as_deref().and_then(Id::parse).ok_or_else(|| StoreError::Failed("the cluster has no id".into()))
}
