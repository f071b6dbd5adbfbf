//! Deleted users and customers, as each service remembers them, and the records that refer to them.

use crate::persistence::tallies;
use crate::persistence::tallies::{
    CUSTOMERS_CREATED, DEALS_CREATED, DELETED, EVER, MEETINGS_MET, TASKS_DUE, Tally, only,
};
use domain::deletion::Deletion;
use std::collections::HashMap;

use serde::Deserialize;

use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::log;
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("successor_id", Kind::Id),
    ("approver_id", Kind::Id),
    ("saga_id", Kind::Id),
];

const fn table(name: &'static str) -> Table {
    Table { name, columns: COLUMNS, on_conflict: OnConflict::Replace, fence: "version" }
}

pub static CUSTOMER_DELETIONS: Table = table("customer_departures");
pub static SALES_DELETIONS: Table = table("sales_departures");
pub static OPPORTUNITY_DELETIONS: Table = table("opportunity_departures");
pub static ANALYTICS_DELETIONS: Table = table("analytics_departures");

/// Those of `ids` that are deleted.
pub async fn among(db: &Db, table: &Table, ids: &[Id]) -> Result<HashMap<Id, Deletion>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let chosen = match db.dialect() {
        Dialect::Sqlite => "id IN (SELECT value FROM json_each(?))",
        Dialect::Postgres => "id = ANY (ARRAY(SELECT k::uuid FROM json_array_elements_text(?::json) AS k))",
    };
    let tail = Sql::default().filter(chosen, [serde_json::to_string(ids)?.into()]);
    let gone: Vec<Deletion> = db.rows(table, tail).await?;
    Ok(gone.into_iter().map(|deletion| (deletion.id, deletion)).collect())
}

/// The records of a table that refer to a user or customer. A step of a saga changes them; its preview counts them.
#[derive(Clone, Copy, Debug)]
pub struct Referring {
    table: &'static str,
    condition: &'static str,
    /// The columns of which one is the user or customer.
    columns: &'static [&'static str],
    /// The column of the user who sees the record, if not everybody does.
    owner: &'static str,
    /// Counts a user's records, which are many.
    tally: Option<&'static Tally>,
}

pub const CUSTOMERS_OF_OWNER: Referring = Referring {
    tally: Some(&CUSTOMERS_CREATED),
    ..referring_to("customers", "deleted_at IS NULL", &["owner_id"], "owner_id")
};
pub const MEETINGS_OF_OWNER: Referring = Referring {
    tally: Some(&MEETINGS_MET),
    ..referring_to("meetings", "deleted_at IS NULL", &["owner_id"], "owner_id")
};
pub const MEETINGS_OF_CUSTOMER: Referring =
    referring_to("meetings", "deleted_at IS NULL", &["customer_id"], "owner_id");
pub const TASKS_OF_ASSIGNEE: Referring = Referring {
    tally: Some(&TASKS_DUE),
    ..referring_to("tasks", "deleted_at IS NULL", &["assignee_id"], "assignee_id")
};
pub const TASKS_OF_CUSTOMER: Referring =
    referring_to("tasks", "deleted_at IS NULL", &["customer_id"], "assignee_id");
pub const APPROVALS_OF_USER: Referring =
    referring_to("approvals", "status = 'PENDING'", &["requester_id", "approver_id"], "requester_id");
pub const PENDING_APPROVALS_OF_CUSTOMER: Referring =
    referring_to("approvals", "status = 'PENDING'", &["customer_id"], "requester_id");
pub const APPROVALS_OF_CUSTOMER: Referring =
    referring_to("approvals", "status IS NOT NULL", &["customer_id"], "requester_id");
pub const DEALS_OF_OWNER: Referring = Referring {
    tally: Some(&DEALS_CREATED),
    ..referring_to("deals", "deleted_at IS NULL", &["owner_id"], "owner_id")
};
pub const OPEN_DEALS_OF_CUSTOMER: Referring = referring_to(
    "deals",
    "deleted_at IS NULL AND stage IN ('QUALIFY', 'PROPOSE', 'NEGOTIATE')",
    &["customer_id"],
    "owner_id",
);
pub const DEALS_OF_CUSTOMER: Referring =
    referring_to("deals", "deleted_at IS NULL", &["customer_id"], "owner_id");
pub const NOTIFICATIONS_OF_CUSTOMER: Referring =
    referring_to("notifications", "archived_at IS NULL", &["customer_id"], "user_id");

const fn referring_to(
    table: &'static str,
    condition: &'static str,
    columns: &'static [&'static str],
    owner: &'static str,
) -> Referring {
    Referring { table, condition, columns, owner, tally: None }
}

impl Referring {
    /// Restricts a query to the records that refer to `id`. Each column has an index of its own.
    fn filter(&self, sql: Sql, id: Id) -> Sql {
        let mut sql = sql.filter(self.condition, []);
        for (place, column) in self.columns.iter().enumerate() {
            let before = if place == 0 { " AND (" } else { " OR " };
            sql = sql.push(&format!("{before}{column} = ?"), [id.into()]);
        }
        sql.push(")", [])
    }
}

/// The first records that refer to `id`, at most `limit`.
pub async fn referring(db: &Db, to: Referring, id: Id, limit: i64) -> Result<Vec<Id>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: Id,
    }
    static SHAPE: Table =
        Table { name: "referring", columns: &[("id", Kind::Id)], on_conflict: OnConflict::Fail, fence: "id" };
    let ids = to.filter(Sql::new(format!("SELECT id FROM {}", to.table)), id);
    let rows: Vec<Row> = db.rows_of(&SHAPE, ids.push(" ORDER BY id", []).limit(limit)).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// How many records refer to `id`; with a `viewer`, how many of theirs.
pub async fn count(db: &Db, to: Referring, id: Id, viewer: Option<Id>) -> Result<i64, StoreError> {
    if let Some(tally) = to.tally {
        let Some(owner) = only(viewer, Some(id)) else { return Ok(0) };
        return tallies::count(db, tally, owner, EVER, |value| value != DELETED).await;
    }
    let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", to.table));
    let is_theirs = format!("{} = ?", to.owner);
    db.number(to.filter(count, id).filter_some(&is_theirs, viewer)).await
}

/// How many records refer to one of `ids`, by the first of their columns; with a `viewer`, how many of theirs.
pub async fn count_all(db: &Db, to: Referring, ids: &[Id], viewer: Option<Id>) -> Result<i64, StoreError> {
    let column = to.columns.first().copied().unwrap_or("id");
    let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", to.table))
        .filter(to.condition, [])
        .filter(&format!("{column} IN ({})", db.dialect().ids()), [serde_json::to_string(ids)?.into()]);
    db.number(count.filter_some(&format!("{} = ?", to.owner), viewer)).await
}

/// Those of these customers to which a record of one of these tables refers.
pub async fn in_use(db: &Db, to: &[Referring], ids: &[Id]) -> Result<Vec<Id>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: Id,
    }
    static SHAPE: Table =
        Table { name: "in_use", columns: &[("id", Kind::Id)], on_conflict: OnConflict::Fail, fence: "id" };
    let (mut sql, mut between) = (Sql::default(), "");
    for Referring { table, condition, columns, .. } in to {
        let column = columns.first().copied().unwrap_or("id");
        let select = format!(
            "{between}SELECT {column} AS id FROM {table} WHERE {condition} AND {column} IN ({})",
            db.dialect().ids()
        );
        sql = sql.push(&select, [serde_json::to_string(ids)?.into()]);
        between = " UNION ";
    }
    let rows: Vec<Row> = db.rows_of(&SHAPE, sql).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// The subjects of the events of a type that the event `cause` led to, at most `limit` of them, and how many there are.
pub async fn caused(db: &Db, cause: Id, event_type: &str, limit: i64) -> Result<(Vec<Id>, i64), StoreError> {
    // The words of the index `events_caused`; otherwise it would not be used.
    let narrow = |sql: Sql| {
        sql.filter("causation_id = ?", [cause.into()])
            .filter("type <> 'notification.created'", [])
            .filter("type = ?", [event_type.into()])
    };
    let first = log::read(db, narrow(Sql::default()).push(" ORDER BY id", []).limit(limit)).await?;
    let count = db.number(narrow(Sql::new("SELECT CAST(count(*) AS TEXT) FROM events"))).await?;
    Ok((first.into_iter().map(|event| event.event.subject).collect(), count))
}
