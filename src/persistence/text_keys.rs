//! The keys of texts (`domain::{customer,user,search}::keys`) in rows that have none: those of a database from
//! before there were keys, and those that a node of the version before writes while nodes are upgraded. SQL can't make
//! keys, so the program does, when it starts and from time to time.
//!
//! A row without keys is known by the first character of `search`, which such a node writes with each change of the row:
//! it never leaves a key that belongs to other texts. Where such a node knows no `search`, `keyed_version` is not the
//! version of the row. Each row is filled if its version is the one that was read.

use serde::{Deserialize, Serialize};

use domain::customer::keys::{CustomerKeys, CustomerTexts};
use domain::search::keys::RecordKeys;
use domain::user::keys::UserKeys;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};

/// The rows that one transaction fills: few enough to hold up no other writer.
const BATCH: i64 = 500;
/// Rows after which the log says how far it is.
const SAID_EVERY: u64 = 50_000;

/// What keys are made of.
#[derive(Deserialize)]
struct Texts {
    id: Id,
    version: i64,
    /// A record's title, or the name of a customer or user.
    #[serde(alias = "title")]
    name: String,
    #[serde(default)]
    kana: Option<String>,
    #[serde(default)]
    company: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    lost_reason: Option<String>,
}

/// By what a row without keys is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lacks {
    /// `search` does not begin with the version of keys.
    Mark,
    /// `keyed_version` is not the row's version.
    Version,
}

/// A table with keys.
struct Keyed {
    /// Its texts.
    texts: &'static Table,
    /// The columns of keys.
    keys: &'static [&'static str],
    lacks: Lacks,
    /// A row of keys, with the id and version of its texts.
    make: fn(&Texts) -> Result<String, serde_json::Error>,
}

const CUSTOMER_KEYS: &[&str] =
    &["search", "name_order", "match_name", "match_kana", "match_phone", "match_domain"];

static KEYED: [Keyed; 8] = [
    Keyed { texts: &CUSTOMER, keys: CUSTOMER_KEYS, lacks: Lacks::Version, make: customer },
    Keyed { texts: &USER, keys: &["search"], lacks: Lacks::Mark, make: user },
    Keyed { texts: &SALES_REPLICA, keys: &["search"], lacks: Lacks::Version, make: replica },
    Keyed { texts: &OPPORTUNITY_REPLICA, keys: &["search"], lacks: Lacks::Version, make: replica },
    Keyed { texts: &MEETING, keys: &["search"], lacks: Lacks::Version, make: meeting },
    Keyed { texts: &TASK, keys: &["search"], lacks: Lacks::Version, make: task },
    Keyed { texts: &APPROVAL, keys: &["search"], lacks: Lacks::Version, make: approval },
    Keyed { texts: &DEAL, keys: &["search"], lacks: Lacks::Version, make: deal },
];

macro_rules! texts {
    ($($table:ident = $name:literal: $($column:literal),*;)*) => {
        $(static $table: Table = Table {
            name: $name,
            columns: &[("id", Kind::Id), ("version", Kind::Int), $(($column, Kind::Text)),*],
            on_conflict: OnConflict::Fail,
            fence: "version",
        };)*
    };
}

texts! {
    CUSTOMER = "customers": "name", "kana", "company", "email", "phone";
    USER = "users": "name", "email";
    SALES_REPLICA = "sales_customers": "name";
    OPPORTUNITY_REPLICA = "opportunity_customers": "name";
    MEETING = "meetings": "title", "location", "notes", "outcome";
    TASK = "tasks": "title", "notes";
    APPROVAL = "approvals": "title", "reason", "comment";
    DEAL = "deals": "title", "lost_reason";
}

#[derive(Serialize)]
struct Row<K> {
    id: Id,
    version: i64,
    #[serde(flatten)]
    keys: K,
}

impl Texts {
    fn row(&self, keys: impl Serialize) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Row { id: self.id, version: self.version, keys })
    }
}

fn customer(texts: &Texts) -> Result<String, serde_json::Error> {
    let customer = CustomerTexts {
        name: &texts.name,
        kana: texts.kana.as_deref(),
        company: texts.company.as_deref(),
        email: texts.email.as_deref(),
        phone: texts.phone.as_deref(),
    };
    texts.row(CustomerKeys::of(texts.version, customer))
}

fn user(texts: &Texts) -> Result<String, serde_json::Error> {
    texts.row(UserKeys::of(&texts.name, texts.email.as_deref().unwrap_or_default()))
}

fn replica(texts: &Texts) -> Result<String, serde_json::Error> {
    texts.row(RecordKeys::of_replica(texts.version, &texts.name))
}

fn meeting(texts: &Texts) -> Result<String, serde_json::Error> {
    let Texts { version, name, location, notes, outcome, .. } = texts;
    let (location, notes, outcome) = (location.as_deref(), notes.as_deref(), outcome.as_deref());
    texts.row(RecordKeys::of_meeting(*version, name, location, notes, outcome))
}

fn task(texts: &Texts) -> Result<String, serde_json::Error> {
    texts.row(RecordKeys::of_task(texts.version, &texts.name, texts.notes.as_deref()))
}

fn approval(texts: &Texts) -> Result<String, serde_json::Error> {
    let Texts { version, name, reason, comment, .. } = texts;
    texts.row(RecordKeys::of_approval(*version, name, reason.as_deref(), comment.as_deref()))
}

fn deal(texts: &Texts) -> Result<String, serde_json::Error> {
    texts.row(RecordKeys::of_deal(texts.version, &texts.name, texts.lost_reason.as_deref()))
}

/// The condition that a text has no key; of the column `search` it is that of the index of rows without keys.
fn has_no_mark(dialect: Dialect, search: &str) -> String {
    let first = match dialect {
        Dialect::Sqlite => "unicode",
        Dialect::Postgres => "ascii",
    };
    format!("{first}({search}) >= 32")
}

impl Keyed {
    /// Rows without keys, from `after` on.
    async fn unkeyed(&self, db: &Db, after: Id) -> Result<Vec<Texts>, StoreError> {
        let (table, dialect) = (self.texts.name, db.dialect());
        let columns = self.texts.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let index = match dialect {
            Dialect::Sqlite => format!(" INDEXED BY {table}_unkeyed"),
            Dialect::Postgres => String::new(),
        };
        let unkeyed = match self.lacks {
            Lacks::Mark => has_no_mark(dialect, "search"),
            Lacks::Version => "keyed_version IS DISTINCT FROM version".to_owned(),
        };
        let rows = Sql::new(format!("SELECT {columns} FROM {table}{index}"))
            .filter(&unkeyed, [])
            .filter("id > ?", [after.into()])
            .push(" ORDER BY id", [])
            .limit(BATCH);
        db.rows_of(self.texts, rows).await
    }

    /// Sets the keys of the rows of parameter 1, as far as they still have none and the same version.
    fn fill(&self, dialect: Dialect) -> String {
        let table = self.texts.name;
        // Not that of the index, or PostgreSQL might read all of it for each batch: the rows are found by their ids.
        let (unkeyed, version) = match self.lacks {
            Lacks::Mark => (has_no_mark(dialect, &format!("substr({table}.search, 1, 1)")), String::new()),
            Lacks::Version => (
                format!("coalesce({table}.keyed_version, -1) <> {table}.version"),
                format!(", keyed_version = {table}.version"),
            ),
        };
        match dialect {
            Dialect::Sqlite => {
                let set = self.keys.iter().map(|key| format!("{key} = r.value->>'$.{key}'"));
                format!(
                    "UPDATE {table} SET {}{version} FROM json_each($1) AS r WHERE {table}.id = r.value->>'$.id' \
                     AND {table}.version = r.value->>'$.version' AND {unkeyed}",
                    set.collect::<Vec<_>>().join(", ")
                )
            }
            Dialect::Postgres => {
                let set = self.keys.iter().map(|key| format!("{key} = r.{key}"));
                let typed = self.keys.iter().map(|key| format!("{key} text"));
                format!(
                    "UPDATE {table} SET {}{version} FROM json_to_recordset($1::json) AS r(id uuid, version bigint, {}) \
                     WHERE {table}.id = r.id AND {table}.version = r.version AND {unkeyed}",
                    set.collect::<Vec<_>>().join(", "),
                    typed.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    /// Makes the keys of these rows; returns how many it wrote.
    async fn key(&'static self, db: &Db, rows: Vec<Texts>) -> Result<u64, StoreError> {
        let ids = serde_json::to_string(&rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
        let keys = rows.iter().map(self.make).collect::<Result<Vec<_>, _>>()?;
        let held = db.clone();
        let task = db.runtime().spawn(async move {
            let dialect = held.dialect();
            let mut tx = held.begin().await?;
            // In the order in which the journals of all nodes lock them.
            tx.execute(&Sql::new(self.texts.fences(dialect, 1)).with(ids)).await?;
            let keyed =
                tx.execute(&Sql::new(self.fill(dialect)).with(format!("[{}]", keys.join(",")))).await?;
            tx.commit().await.map(|()| keyed)
        });
        task.await.map_err(|_| StoreError::Unavailable("the making of keys was cut off".into()))?
    }

    async fn renew(&'static self, db: &Db) -> Result<u64, StoreError> {
        let (table, mut keyed, mut said) = (self.texts.name, 0, 0);
        let mut after = Id::nil();
        loop {
            let rows = self.unkeyed(db, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            keyed += self.key(db, rows).await?;
            if keyed >= said + SAID_EVERY {
                said = keyed;
                tracing::info!(table, rows = keyed, "making the keys of texts: so many rows are done");
            }
        }
        if keyed > 0 {
            tracing::info!(table, rows = keyed, "the keys of texts were made");
        }
        Ok(keyed)
    }
}

/// Makes the keys of all rows that have none, in batches; returns of how many rows. When it is cut off it goes on from
/// there the next time. Several nodes may do it at once.
///
/// # Errors
/// `Unavailable`: the batches before are stored.
pub async fn renew(db: &Db) -> Result<u64, StoreError> {
    let mut keyed = 0;
    for table in &KEYED {
        keyed += table.renew(db).await?;
    }
    Ok(keyed)
}
