//! The records that sagas have changed: from which version to which. Each row is committed together with its change, so that no
//! saga changes a record twice, and an undo knows what to take back.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::json;

use domain::saga::record::Counted;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::log;
use store::noting::Noting;
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};
use store::unit_of_work::Write;

/// Where a service keeps the records that sagas have changed.
#[derive(Clone, Copy, Debug)]
pub struct Items(&'static Table);

const fn items(name: &'static str) -> Table {
    Table {
        name,
        columns: &[
            ("id", Kind::Text),
            ("version", Kind::Int),
            ("after_version", Kind::Int),
            ("record_id", Kind::Id),
            ("before", Kind::Json),
        ],
        // A record that a cascade meets again keeps the version from which the saga took it.
        on_conflict: OnConflict::Keep,
        fence: "version",
    }
}

pub static CUSTOMER_BATCH_ITEMS: Table = items("customer_batch_items");
pub static SALES_BATCH_ITEMS: Table = items("sales_batch_items");
pub static OPPORTUNITY_BATCH_ITEMS: Table = items("opportunity_batch_items");
pub static ANALYTICS_BATCH_ITEMS: Table = items("analytics_batch_items");
pub const ITEM_TABLES: [&Table; 4] =
    [&CUSTOMER_BATCH_ITEMS, &SALES_BATCH_ITEMS, &OPPORTUNITY_BATCH_ITEMS, &ANALYTICS_BATCH_ITEMS];

pub const CUSTOMER_ITEMS: Items = Items(&CUSTOMER_BATCH_ITEMS);
pub const SALES_ITEMS: Items = Items(&SALES_BATCH_ITEMS);
pub const OPPORTUNITY_ITEMS: Items = Items(&OPPORTUNITY_BATCH_ITEMS);
pub const ANALYTICS_ITEMS: Items = Items(&ANALYTICS_BATCH_ITEMS);

/// Which records of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Those of a batch.
    Batch(i64),
    /// Those of a kind, which a cascade has changed.
    Kind(Counted),
    All,
}

impl Group {
    /// What the keys of the saga's records begin with.
    pub fn of(self, saga: Id) -> String {
        match self {
            Self::Batch(number) => format!("{saga}/{number:04}"),
            Self::Kind(counted) => format!("{saga}/{}", counted.as_str()),
            Self::All => saga.to_string(),
        }
    }
}

/// A record that a saga has changed.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    /// saga/group/record
    pub id: String,
    pub record_id: Id,
    /// The record's version before; 0 if the saga created it.
    pub version: i64,
    after_version: Option<i64>,
}

impl Item {
    /// The record's version after the saga had changed it.
    pub fn after(&self) -> i64 {
        self.after_version.unwrap_or(self.version + 1)
    }
}

impl Items {
    /// Notes which record a saga's command changed; once for each saga, unless `again` allows it to meet the record again.
    fn noted(self, saga: Id, group: Group, record: Id, again: bool) -> Noting {
        let (table, id) = (self.0, format!("{}/{record}", group.of(saga)));
        Noting::new(move |step| {
            let row = json!({
                "id": id, "version": step.before, "after_version": step.after, "record_id": record, "before": {},
            });
            let write = Write::put(table, &id, &row);
            if again { write } else { write.expecting(0) }
        })
    }

    /// Notes which record a batch changed, on condition that the batch did not change it yet.
    pub fn in_batch(self, (saga, number): (Id, i64), record: Id) -> Noting {
        self.noted(saga, Group::Batch(number), record, false)
    }

    /// Notes which record of a kind a cascade changed.
    pub fn in_cascade(self, saga: Id, kind: Counted, record: Id) -> Noting {
        self.noted(saga, Group::Kind(kind), record, true)
    }

    /// The records that a saga has changed, in the order of their keys, after the key `after`; at most `limit`. It leaves
    /// out a record to which an import has only given its external id.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn page(
        self,
        db: &Db,
        saga: Id,
        group: Group,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Item>, StoreError> {
        let begin = format!("{}/", group.of(saga));
        let tail = Sql::default()
            .filter("id > ?", [after.unwrap_or(&begin).into()])
            .filter("id < ?", [format!("{begin}~").into()])
            .filter("(after_version IS NULL OR after_version > version)", []);
        db.rows(self.0, tail.push(" ORDER BY id", []).limit(limit)).await
    }

    /// How many records a saga has changed.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn count(self, db: &Db, saga: Id, group: Group) -> Result<i64, StoreError> {
        let begin = format!("{}/", group.of(saga));
        let count = Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM {}", self.0.name))
            .filter("id > ?", [begin.as_str().into()])
            .filter("id < ?", [format!("{begin}~").into()]);
        db.number(count).await
    }

    /// Which of these records a saga has changed.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn among(
        self,
        db: &Db,
        saga: Id,
        group: Group,
        records: &[Id],
    ) -> Result<HashSet<Id>, StoreError> {
        if records.is_empty() {
            return Ok(HashSet::new());
        }
        let begin = group.of(saga);
        let keys: Vec<String> = records.iter().map(|record| format!("{begin}/{record}")).collect();
        let chosen = match db.dialect() {
            Dialect::Sqlite => "id IN (SELECT value FROM json_each(?))",
            Dialect::Postgres => "id = ANY (ARRAY(SELECT json_array_elements_text(?::json)))",
        };
        let tail = Sql::default().filter(chosen, [serde_json::to_string(&keys)?.into()]);
        let items: Vec<Item> = db.rows(self.0, tail).await?;
        Ok(items.into_iter().map(|item| item.record_id).collect())
    }

    /// The item of a record in a group.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn find(self, db: &Db, saga: Id, group: Group, record: Id) -> Result<Option<Item>, StoreError> {
        let key = format!("{}/{record}", group.of(saga));
        let rows: Vec<Item> = db.rows(self.0, Sql::default().filter("id = ?", [key.into()])).await?;
        Ok(rows.into_iter().next())
    }
}

/// The events with these numbers of these aggregates.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn events_at(db: &Db, wanted: &[(Id, i64)]) -> Result<Vec<LoggedEvent>, StoreError> {
    let pairs = match db.dialect() {
        Dialect::Sqlite => "(subject, sequence) IN (SELECT value->>0, value->>1 FROM json_each(?))",
        Dialect::Postgres => {
            "(subject, sequence) IN (SELECT (k->>0)::uuid, (k->>1)::bigint FROM json_array_elements(?::json) AS k)"
        }
    };
    log::read(db, Sql::default().filter(pairs, [serde_json::to_string(wanted)?.into()])).await
}
