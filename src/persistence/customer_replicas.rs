//! Replicas: the copies of customers that other services keep, made by their consumers.

use serde::{Deserialize, Serialize};

use domain::search::keys::RecordKeys;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::table::{Kind, OnConflict, Table};

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("name", Kind::Text),
    ("owner_id", Kind::Id),
    ("deleted_at", Kind::Time),
    ("search", Kind::Search),
    ("keyed_version", Kind::Int),
];

pub static SALES_CUSTOMERS: Table =
    Table { name: "sales_customers", columns: COLUMNS, on_conflict: OnConflict::Newer, fence: "version" };

pub static OPPORTUNITY_CUSTOMERS: Table = Table {
    name: "opportunity_customers",
    columns: COLUMNS,
    on_conflict: OnConflict::Newer,
    fence: "version",
};

/// A customer as another service knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerReplica {
    pub id: Id,
    pub version: i64,
    pub name: String,
    pub owner_id: Id,
    pub deleted_at: Option<Timestamp>,
}

/// A replica as it is stored.
#[derive(Serialize)]
pub struct ReplicaRow {
    #[serde(flatten)]
    pub replica: CustomerReplica,
    #[serde(flatten)]
    pub keys: RecordKeys,
}

/// The replica of a customer in `table`.
pub async fn find(db: &Db, table: &Table, id: Id) -> Result<Option<CustomerReplica>, StoreError> {
    db.row(table, id).await
}
