//! The batches of changes of many records.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::persistence::saga_items::{
    CUSTOMER_ITEMS, Group, ITEM_TABLES, Items, OPPORTUNITY_ITEMS, SALES_ITEMS,
};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};
use store::unit_of_work::Write;

/// Where a service keeps its batches.
#[derive(Clone, Copy, Debug)]
pub struct Batches {
    batches: &'static Table,
    /// The records that they have changed.
    pub items: Items,
}

const fn batches(name: &'static str) -> Table {
    Table {
        name,
        columns: &[
            ("id", Kind::Text),
            ("version", Kind::Int),
            ("change", Kind::Json),
            ("caller", Kind::Json),
            ("ids", Kind::Json),
        ],
        on_conflict: OnConflict::Fail,
        fence: "version",
    }
}

pub static CUSTOMER_BATCHES: Table = batches("customer_batches");
pub static SALES_BATCHES: Table = batches("sales_batches");
pub static OPPORTUNITY_BATCHES: Table = batches("opportunity_batches");

pub const OF_CUSTOMERS: Batches = Batches { batches: &CUSTOMER_BATCHES, items: CUSTOMER_ITEMS };
pub const OF_SALES: Batches = Batches { batches: &SALES_BATCHES, items: SALES_ITEMS };
pub const OF_OPPORTUNITY: Batches = Batches { batches: &OPPORTUNITY_BATCHES, items: OPPORTUNITY_ITEMS };

/// A step of a saga: what was asked for (`change` and `caller`), and the records that it changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch<A> {
    #[serde(flatten)]
    pub asked: A,
    pub ids: Vec<Id>,
}

#[derive(Serialize, Deserialize)]
struct Row<A> {
    id: String,
    version: i64,
    #[serde(flatten)]
    batch: Batch<A>,
}

impl Batches {
    /// Stores a new batch.
    pub fn write<A: Serialize>(&self, saga: Id, number: i64, batch: Batch<A>) -> Write {
        let row = Row { id: Group::Batch(number).of(saga), version: 1, batch };
        Write::put(self.batches, &row.id, &row).expecting(0)
    }

    /// The batch of a saga.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn find<A: DeserializeOwned>(
        &self,
        db: &Db,
        saga: Id,
        number: i64,
    ) -> Result<Option<Batch<A>>, StoreError> {
        let tail = Sql::default().filter("id = ?", [Group::Batch(number).of(saga).into()]);
        let rows: Vec<Row<A>> = db.rows(self.batches, tail).await?;
        Ok(rows.into_iter().next().map(|row| row.batch))
    }

    /// Deletes the batches of a saga that never began.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn drop_all(&self, db: &Db, saga: Id) -> Result<(), StoreError> {
        let delete = Sql::new(format!("DELETE FROM {}", self.batches.name))
            .filter("id >= ?", [format!("{saga}/").into()])
            .filter("id < ?", [format!("{saga}/~").into()]);
        db.execute(delete).await.map(drop)
    }
}

/// For each of these ids, in their order, the record that is stored under it, if any.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn records<S: DeserializeOwned>(
    db: &Db,
    table: &'static Table,
    ids: &[Id],
) -> Result<Vec<(Id, Option<S>)>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(ids)?.into()]);
    let rows: Vec<Value> = db.rows(table, tail).await?;
    let id_of = |row: &Value| row["id"].as_str().and_then(Id::parse);
    let mut found: HashMap<Id, Value> =
        rows.into_iter().filter_map(|row| Some((id_of(&row)?, row))).collect();
    let record = |id: &Id| Ok((*id, found.remove(id).map(serde_json::from_value).transpose()?));
    ids.iter().map(record).collect()
}

/// Deletes batches of sagas that never began and whose ids were chosen before a time, at most `limit` of each table; returns how
/// many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn purge_unbegun(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let saga = match db.dialect() {
        Dialect::Sqlite => "substr(batch.id, 1, 36)",
        Dialect::Postgres => "substr(batch.id, 1, 36)::uuid",
    };
    let mut purged = 0;
    for table in [&CUSTOMER_BATCHES, &SALES_BATCHES, &OPPORTUNITY_BATCHES] {
        let name = table.name;
        let begun = format!("NOT EXISTS (SELECT 1 FROM sagas WHERE sagas.id = {saga})");
        let old = Sql::new(format!("DELETE FROM {name} WHERE id IN (SELECT id FROM {name} AS batch"))
            .filter("batch.id < ?", [Id::earliest(before).to_string().into()])
            .filter(&begun, [])
            .limit(limit)
            .push(")", []);
        purged += db.execute(old).await?;
    }
    Ok(purged)
}

/// Deletes batches and items of sagas that began before a time, at most `limit` of each table; returns how many.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn purge(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let mut purged = 0;
    let batches = [&CUSTOMER_BATCHES, &SALES_BATCHES, &OPPORTUNITY_BATCHES];
    for table in ITEM_TABLES.into_iter().chain(batches) {
        let name = table.name;
        let old = Sql::new(format!("DELETE FROM {name} WHERE id IN (SELECT id FROM {name}"))
            .filter("id < ?", [Id::earliest(before).to_string().into()])
            .limit(limit)
            .push(")", []);
        purged += db.execute(old).await?;
    }
    Ok(purged)
}
