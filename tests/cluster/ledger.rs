//! Records what was acknowledged, and checks that it is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, Row};

use crate::cluster::Cluster;

/// The most entries of a list that a failing test prints.
const SHOWN: usize = 10;

/// What clients were acknowledged. Their texts are unique, so that a repeated write is detected (`promises`).
#[derive(Default)]
pub struct Ledger {
    /// The version last acknowledged, by id.
    customers: BTreeMap<String, i64>,
    /// When each was acknowledged first.
    pub created: BTreeMap<String, Instant>,
    deleted: BTreeSet<String>,
    /// The ids of other records by their path.
    records: BTreeMap<String, Vec<String>>,
    /// Users that were deleted.
    pub users: Vec<String>,
    /// Reads of another node after a write, and those of them that showed less than was acknowledged.
    pub reads: usize,
    pub stale: Vec<String>,
    /// Tries that were answered by "try again later", or not at all.
    pub hiccups: Vec<String>,
    /// Those of them without `Retry-After`.
    pub silent: Vec<String>,
    /// The longest that an acknowledged request took.
    pub slowest: Duration,
}

impl Ledger {
    pub fn customer(&mut self, id: &str, version: i64) {
        if self.customers.insert(id.to_owned(), version).is_none() {
            self.created.insert(id.to_owned(), Instant::now());
        }
    }

    pub fn deleted(&mut self, id: String) {
        self.deleted.insert(id);
    }

    pub fn record(&mut self, path: &str, id: String) {
        self.records.entry(path.to_owned()).or_default().push(id);
    }

    pub fn took(&mut self, time: Duration) {
        self.slowest = self.slowest.max(time);
    }

    /// Adds the ledger of another worker.
    pub fn add(&mut self, other: Self) {
        self.customers.extend(other.customers);
        self.created.extend(other.created);
        self.deleted.extend(other.deleted);
        for (path, ids) in other.records {
            self.records.entry(path).or_default().extend(ids);
        }
        self.users.extend(other.users);
        self.reads += other.reads;
        self.stale.extend(other.stale);
        self.hiccups.extend(other.hiccups);
        self.silent.extend(other.silent);
        self.slowest = self.slowest.max(other.slowest);
    }

    /// Checks that every acknowledged write is stored, and that there were enough writes of each kind.
    pub async fn is_kept(&self, cluster: &Cluster) {
        let work = self.summary();
        println!("{work}");
        assert!(!self.deleted.is_empty() && !self.users.is_empty(), "too little work: {work}");
        assert!(self.records.len() == 3, "too little work: {work}");
        let mut connection =
            PgConnection::connect(&cluster.database.url).await.expect("a server that answers");
        let stored = rows(&mut connection, "customers").await;
        for (id, version) in &self.customers {
            let (stored, is_deleted) = stored.get(id).unwrap_or_else(|| panic!("customer {id} is lost"));
            assert!(stored >= version, "customer {id} has version {stored}, acknowledged was {version}");
            assert!(*is_deleted || !self.deleted.contains(id), "customer {id} is not deleted");
        }
        for (path, ids) in &self.records {
            let table = path.rsplit('/').next().expect("a path's end");
            let stored = rows(&mut connection, table).await;
            for id in ids {
                assert!(stored.contains_key(id), "{id} of {table} is lost");
            }
        }
        let users = rows(&mut connection, "users").await;
        for id in &self.users {
            assert!(users[id].1, "user {id} is not deleted");
        }
        assert!(self.stale.is_empty(), "stale reads: {}", some(&self.stale));
    }

    /// How much was done.
    pub fn summary(&self) -> String {
        let records: Vec<String> =
            self.records.iter().map(|(path, ids)| format!("{path} {}", ids.len())).collect();
        format!(
            "{} customers ({} deleted), {}, {} users deleted, {} reads elsewhere, {} hiccups, slowest {:?}",
            self.customers.len(),
            self.deleted.len(),
            records.join(", "),
            self.users.len(),
            self.reads,
            self.hiccups.len(),
            self.slowest,
        )
    }
}

/// How many, and the first of them.
pub fn some(list: &[String]) -> String {
    format!("{}: {:#?}", list.len(), &list[..list.len().min(SHOWN)])
}

/// The version of each record of a table, and whether it is deleted.
async fn rows(connection: &mut PgConnection, table: &str) -> BTreeMap<String, (i64, bool)> {
    let deleted = if table == "approvals" { "false" } else { "deleted_at IS NOT NULL" };
    let sql = format!("SELECT CAST(id AS TEXT), version, {deleted} FROM {table}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await.expect("a table");
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}
