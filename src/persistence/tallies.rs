//! How many records there are: the tallies, and the changes that are not added to them yet (docs/decisions/0034).
//!
//! A period is summed up from its whole days and quarters of an hour. What lies beyond its first and last quarter is counted
//! in the records' table.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::persistence::tally_periods::Period;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};

pub static TALLIES: Table = Table {
    name: "tallies",
    columns: &[
        ("kind", Kind::Text),
        ("scope", Kind::Text),
        ("bucket", Kind::Text),
        ("value", Kind::Text),
        ("count", Kind::Int),
        ("high", Kind::Int),
        ("low", Kind::Int),
    ],
    on_conflict: OnConflict::Fail,
    fence: "count",
};

/// The tables whose triggers append changes.
pub const RECORDS: [&str; 5] = ["approvals", "customers", "deals", "meetings", "tasks"];

/// What is counted, by whom and when. The expressions are those of the views in the migrations.
#[derive(Debug)]
pub struct Tally {
    kind: &'static str,
    table: &'static str,
    /// The column of the user whose record it is.
    owner: &'static str,
    /// The time by which records are counted.
    at: &'static str,
    /// What the counts are told apart by.
    value: &'static str,
    /// Which records count: those of each of these conditions, for which there is an index by the time.
    conditions: &'static [&'static str],
    /// The amount that is summed up, or zero.
    amount: &'static str,
}

/// The value of deleted customers in [`CUSTOMERS_CREATED`].
pub const DELETED: &str = "DELETED";

/// Customers by the time of their creation and their status, deleted ones as [`DELETED`].
pub static CUSTOMERS_CREATED: Tally = Tally {
    kind: "customers",
    table: "customers",
    owner: "owner_id",
    at: "created_at",
    value: "CASE WHEN deleted_at IS NULL THEN status ELSE 'DELETED' END",
    conditions: &["deleted_at IS NULL AND status IN ('LEAD', 'ACTIVE', 'DORMANT')", "deleted_at IS NOT NULL"],
    amount: "0",
};

/// Deleted customers by the time of their deletion.
pub static CUSTOMERS_DELETED: Tally = Tally {
    kind: "customers.deleted",
    at: "deleted_at",
    value: "''",
    conditions: &["deleted_at IS NOT NULL"],
    ..CUSTOMERS_CREATED
};

/// Live meetings by the time at which they took place.
pub static MEETINGS_MET: Tally = Tally {
    kind: "meetings",
    table: "meetings",
    owner: "owner_id",
    at: "met_at",
    value: "''",
    conditions: &["deleted_at IS NULL"],
    amount: "0",
};

/// Live tasks by the time at which they are due, and their status.
pub static TASKS_DUE: Tally = Tally {
    kind: "tasks",
    table: "tasks",
    owner: "assignee_id",
    at: "due_at",
    value: "status",
    conditions: &["deleted_at IS NULL AND status IN ('OPEN', 'DONE')"],
    amount: "0",
};

/// Live tasks by the time at which they were done.
pub static TASKS_DONE: Tally = Tally {
    kind: "tasks.done",
    at: "completed_at",
    value: "''",
    conditions: &["deleted_at IS NULL AND completed_at IS NOT NULL"],
    ..TASKS_DUE
};

/// Approvals by the time at which they were requested, their status and currency (`PENDING/JPY`), with their amounts.
pub static APPROVALS_REQUESTED: Tally = Tally {
    kind: "approvals",
    table: "approvals",
    owner: "requester_id",
    at: "created_at",
    value: "status || '/' || currency",
    conditions: &["status IN ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED')"],
    amount: "amount",
};

/// Live deals by the time of their creation, their stage, currency and probability (`QUALIFY/JPY/10`), with their amounts.
pub static DEALS_CREATED: Tally = Tally {
    kind: "deals",
    table: "deals",
    owner: "owner_id",
    at: "created_at",
    value: "stage || '/' || currency || '/' || probability",
    conditions: &["deleted_at IS NULL AND stage IN ('QUALIFY', 'PROPOSE', 'NEGOTIATE', 'WON', 'LOST')"],
    amount: "amount",
};

/// A count, and the sum of the amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub count: i64,
    pub amount: i128,
}

/// Whose records are summed up.
#[derive(Clone, Copy)]
enum Whose {
    One(Id),
    All,
    /// Every user's, apart.
    Each,
}

impl From<Option<Id>> for Whose {
    fn from(owner: Option<Id>) -> Self {
        owner.map_or(Self::All, Self::One)
    }
}

/// In PostgreSQL, the condition of changes that are not in the tallies yet: it begins behind those that are not vacuumed.
pub const UNFOLDED: &str = "number > (SELECT folded FROM tally_folds WHERE id = 0)";

/// The users who have a tally of a kind, each found by a step in the key (kind, scope, …). `+` is after `*`, and before
/// every id.
const OWNERS: &str = "WITH RECURSIVE owners (scope) AS (\
    SELECT min(scope) FROM tallies WHERE kind = ? AND scope > '+' UNION ALL \
    SELECT (SELECT min(t.scope) FROM tallies AS t WHERE t.kind = ? AND t.scope > o.scope) \
    FROM owners AS o WHERE o.scope IS NOT NULL) ";

impl Tally {
    /// Selects whose, value, count and amounts of a period, in one statement: a change is in the tallies or still to be added.
    fn of(&self, dialect: Dialect, whose: Whose, period: &Period) -> Sql {
        let mut sql = match whose {
            Whose::Each => Sql::default().push(OWNERS, [self.kind.into(), self.kind.into()]),
            _ => Sql::default(),
        };
        let mut between = "";
        for (begin, end) in &period.buckets {
            sql = self.kept(sql.push(between, []), whose, begin, end);
            between = " UNION ALL ";
        }
        if !period.buckets.is_empty() {
            sql = self.changed(sql.push(between, []), dialect, whose, period.whole);
        }
        for (begin, end) in &period.rests {
            for condition in self.conditions {
                sql = self.counted(sql.push(between, []), whose, condition, *begin, *end);
                between = " UNION ALL ";
            }
        }
        sql
    }

    /// Selects value, count and amount of each record, for [`summed`]: where the tallies do not have what is wanted.
    pub fn rows(&self) -> Sql {
        let Self { table, value, amount, .. } = self;
        Sql::new(format!(
            "SELECT {value} AS value, 1 AS count, {amount} >> 32 AS high, {amount} & 4294967295 AS low FROM {table}"
        ))
    }

    /// From the tallies of the buckets from `begin` up to but not including `end`.
    fn kept(&self, sql: Sql, whose: Whose, begin: &str, end: &str) -> Sql {
        let from = if matches!(whose, Whose::Each) { "owners AS o CROSS JOIN tallies" } else { "tallies" };
        let select =
            format!("SELECT t.scope, t.value, t.count, t.high, t.low FROM {from} AS t WHERE t.kind = ?");
        let sql = sql.push(&select, [self.kind.into()]);
        let sql = match whose {
            Whose::One(owner) => sql.push(" AND t.scope = ?", [owner.to_string().into()]),
            Whose::All => sql.push(" AND t.scope = '*'", []),
            Whose::Each => sql.push(" AND t.scope = o.scope", []),
        };
        sql.push(" AND t.bucket >= ? AND t.bucket < ?", [begin.into(), end.into()])
    }

    /// From the changes that are not in the tallies yet. They are few.
    fn changed(&self, sql: Sql, dialect: Dialect, whose: Whose, (begin, end): Between) -> Sql {
        let select = "SELECT CAST(owner AS TEXT) AS scope, value, count, count * (amount >> 32) AS high, \
            count * (amount & 4294967295) AS low FROM tally_changes WHERE kind = ?";
        let mut sql = sql.push(select, [self.kind.into()]);
        if dialect == Dialect::Postgres {
            sql = sql.push(&format!(" AND {UNFOLDED}"), []);
        }
        if let Whose::One(owner) = whose {
            sql = sql.push(" AND owner = ?", [owner.into()]);
        }
        if let Some(begin) = begin {
            sql = sql.push(" AND at >= ?", [begin.into()]);
        }
        match end {
            Some(end) => sql.push(" AND at < ?", [end.into()]),
            None => sql,
        }
    }

    /// From the records themselves.
    fn counted(&self, sql: Sql, whose: Whose, condition: &str, begin: Timestamp, end: Timestamp) -> Sql {
        let Self { table, owner, at, value, amount, .. } = self;
        let select = format!(
            "SELECT CAST({owner} AS TEXT) AS scope, {value} AS value, count(*) AS count, \
             CAST(sum({amount} >> 32) AS BIGINT) AS high, CAST(sum({amount} & 4294967295) AS BIGINT) AS low \
             FROM {table} WHERE {condition} AND {at} >= ? AND {at} < ?"
        );
        let sql = sql.push(&select, [begin.into(), end.into()]);
        let sql = match whose {
            Whose::One(id) => sql.push(&format!(" AND {owner} = ?"), [id.into()]),
            _ => sql,
        };
        sql.push(" GROUP BY 1, 2", [])
    }
}

/// A period, each end of which may be open.
pub type Between = (Option<Timestamp>, Option<Timestamp>);

/// All times.
pub const EVER: Between = (None, None);

/// The records of `owner`, or of all, from the first moment up to but not including the second, by value.
///
/// # Errors
/// The database's.
pub async fn sums(
    db: &Db,
    tally: &Tally,
    owner: Option<Id>,
    (from, to): Between,
) -> Result<BTreeMap<String, Sum>, StoreError> {
    summed(db, tally.of(db.dialect(), owner.into(), &Period::new(from, to)), "value").await
}

/// How many records of `owner`, or of all, there are in a period, of the values that `counts` accepts.
///
/// # Errors
/// The database's.
pub async fn count(
    db: &Db,
    tally: &Tally,
    owner: Option<Id>,
    between: Between,
    counts: impl Fn(&str) -> bool,
) -> Result<i64, StoreError> {
    let sums = sums(db, tally, owner, between).await?;
    Ok(sums.iter().filter(|(value, _)| counts(value)).map(|(_, sum)| sum.count).sum())
}

/// The records of each owner in a period, of every value but `except`; those who have none are left out.
///
/// # Errors
/// The database's.
pub async fn by_owner(
    db: &Db,
    tally: &Tally,
    (from, to): Between,
    except: &str,
) -> Result<BTreeMap<Id, i64>, StoreError> {
    let period = Period::new(from, to);
    if period.is_empty() {
        return Ok(BTreeMap::new());
    }
    let all = tally.of(db.dialect(), Whose::Each, &period);
    let counted = all.within("scope, value, count, high, low", "t").filter("value <> ?", [except.into()]);
    let sums = summed(db, counted, "scope").await?;
    let owned = sums.into_iter().filter(|(_, sum)| sum.count != 0);
    Ok(owned.filter_map(|(owner, sum)| Some((Id::parse(&owner)?, sum.count))).collect())
}

/// The one owner to whom both conditions restrict a list (`Some(None)`: none does); `None` if they exclude each other.
pub fn only(owner: Option<Id>, wanted: Option<Id>) -> Option<Option<Id>> {
    match (owner, wanted) {
        (Some(owner), Some(wanted)) if owner != wanted => None,
        _ => Some(owner.or(wanted)),
    }
}

/// Adds up what `sql` selects, by the column `name`.
///
/// # Errors
/// The database's.
pub async fn summed(db: &Db, sql: Sql, name: &str) -> Result<BTreeMap<String, Sum>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        count: i64,
        high: i64,
        low: i64,
    }
    static ROWS: Table = Table {
        name: "sums",
        columns: &[("name", Kind::Text), ("count", Kind::Int), ("high", Kind::Int), ("low", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "count",
    };
    if sql.text().is_empty() {
        return Ok(BTreeMap::new());
    }
    let columns = format!(
        "{name} AS name, CAST(sum(count) AS BIGINT) AS count, CAST(sum(high) AS BIGINT) AS high, \
         CAST(sum(low) AS BIGINT) AS low"
    );
    let sql = sql.within(&columns, "s").push(&format!(" GROUP BY {name}"), []);
    let rows: Vec<Row> = db.rows_of(&ROWS, sql).await?;
    let sum = |row: Row| {
        let amount = (i128::from(row.high) << 32) + i128::from(row.low);
        (row.name, Sum { count: row.count, amount })
    };
    Ok(rows.into_iter().map(sum).collect())
}
