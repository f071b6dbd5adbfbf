//! The ids that records have in the programs that they were imported from.
//!
//! A row has all records of an external id: two people who do not see each other's records may use the same ids. Its version is
//! compared at the commit, so that of two imports at once one makes the record.

use std::collections::{BTreeSet, HashMap};

use domain::import::record::ImportKind;
use kernel::ids::Id;
use serde::{Deserialize, Serialize};
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

/// The records that one external id may have.
const RECORDS_MAX: usize = 200;

const fn external_ids(name: &'static str) -> Table {
    Table {
        name,
        columns: &[("id", Kind::Text), ("version", Kind::Int), ("records", Kind::Json)],
        on_conflict: OnConflict::Replace,
        fence: "version",
    }
}

pub static CUSTOMER_EXTERNAL_IDS: Table = external_ids("customer_external_ids");
pub static SALES_EXTERNAL_IDS: Table = external_ids("sales_external_ids");
pub static OPPORTUNITY_EXTERNAL_IDS: Table = external_ids("opportunity_external_ids");

/// The records of an external id, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// 0: there is no row.
    version: i64,
    pub records: Vec<Id>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    version: i64,
    records: Vec<Id>,
}

fn key(kind: ImportKind, external_id: &str) -> String {
    format!("{}/{external_id}", kind.as_str())
}

/// The records of each of these external ids. Some may be deleted.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn holders(
    db: &Db,
    table: &'static Table,
    kind: ImportKind,
    external_ids: &BTreeSet<String>,
) -> Result<HashMap<String, Holders>, StoreError> {
    if external_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let keys: Vec<String> = external_ids.iter().map(|id| key(kind, id)).collect();
    let chosen = format!("id IN ({})", db.dialect().texts());
    let tail = Sql::default().filter(&chosen, [serde_json::to_string(&keys)?.into()]);
    let rows: Vec<Row> = db.rows(table, tail).await?;
    let own = |row: Row| {
        let (_, id) = row.id.split_once('/')?;
        Some((id.to_owned(), Holders { version: row.version, records: row.records }))
    };
    Ok(rows.into_iter().filter_map(own).collect())
}

impl Holders {
    /// Adds a record, on condition that nobody has since these were read; `live` are those of the records that live. `None` if there
    /// are too many already.
    pub fn with(
        &self,
        table: &'static Table,
        (kind, external_id): (ImportKind, &str),
        record: Id,
        live: impl Fn(&Id) -> bool,
    ) -> Option<Write> {
        let mut records: Vec<Id> =
            self.records.iter().copied().filter(|id| *id != record && live(id)).collect();
        records.push(record);
        let id = key(kind, external_id);
        let row = Row { version: self.version + 1, records, id };
        (row.records.len() <= RECORDS_MAX).then(|| Write::put(table, &row.id, &row).expecting(self.version))
    }
}
