//! A unit of work: what must be committed together, or not at all.

use std::borrow::Cow;

use serde::Serialize;

use crate::table::Table;
use kernel::error::{Error, ErrorCode};
use kernel::event::Event;
use kernel::ids::Id;

/// The change of a row.
#[derive(Clone, Debug)]
pub enum Change {
    /// Writes the row: a JSON object whose keys are the names of the columns.
    Put(String),
    Delete,
    /// No change: only the condition is checked.
    Check,
}

/// The change of a row, and the condition on the stored row.
#[derive(Clone, Debug)]
pub struct Write {
    pub table: &'static Table,
    /// The primary key as text.
    pub id: String,
    pub change: Change,
    /// The stored fence (version, position) that this write builds on; 0 means that there is no row, `None` that it
    /// is not compared.
    pub expects: Option<i64>,
}

impl Write {
    /// Writes `row` without a condition.
    pub fn put(table: &'static Table, id: impl ToString, row: &impl Serialize) -> Self {
        Self::row(table, id, serde_json::to_string(row).expect("rows are plain structs"))
    }

    /// Writes a row that is JSON already, without a condition.
    pub fn row(table: &'static Table, id: impl ToString, row: String) -> Self {
        Self { table, id: id.to_string(), change: Change::Put(row), expects: None }
    }

    /// Deletes the row.
    pub fn delete(table: &'static Table, id: impl ToString) -> Self {
        Self { table, id: id.to_string(), change: Change::Delete, expects: None }
    }

    /// Leaves the row as it is; with [`Write::expecting`] this is a pure condition.
    pub fn check(table: &'static Table, id: impl ToString) -> Self {
        Self { table, id: id.to_string(), change: Change::Check, expects: None }
    }

    /// Adds the condition that the stored fence is `fence` (0: there is no row).
    pub fn expecting(self, fence: i64) -> Self {
        Self { expects: Some(fence), ..self }
    }
}

/// A value that no live row may have when the unit is committed. The transaction of the commit looks for it, so that of
/// two units with the same value, on any nodes, only one is committed.
#[derive(Clone, Debug, Serialize)]
pub struct UniqueCheck {
    #[serde(skip)]
    pub table: &'static Table,
    #[serde(skip)]
    pub column: &'static str,
    pub value: String,
    /// Restricts the check to rows of this owner.
    pub owner: Option<Id>,
    /// The row that may have the value.
    pub except: Option<Id>,
    /// The error when another row has the value.
    #[serde(skip)]
    pub code: ErrorCode,
}

/// A row that must be there and not deleted when the unit is committed, whatever its version. Until then no other commit
/// changes or deletes it. Its table has a column `deleted_at`.
#[derive(Clone, Debug)]
pub struct LiveCheck {
    pub table: &'static Table,
    pub id: Id,
    /// The error when it is not there.
    pub code: ErrorCode,
}

/// What is committed together: the state rows, events, idempotency key and cursor of a command or a consumer's batch.
#[derive(Clone, Debug, Default)]
pub struct UnitOfWork {
    pub writes: Vec<Write>,
    pub events: Vec<Event>,
    pub unique_checks: Vec<UniqueCheck>,
    pub live_checks: Vec<LiveCheck>,
}

impl UnitOfWork {
    /// The rows that it touches: no other unit of the transaction may touch them.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let rows = self.writes.iter().map(|write| (write.table.name, write.id.as_str().into()));
        let values = self.unique_checks.iter().map(|check| (check.column, check.value.as_str().into()));
        let live = self.live_checks.iter().map(|check| (check.table.name, check.id.to_string().into()));
        rows.chain(values).chain(live)
    }

    /// Adds everything of `other`.
    pub fn join(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.events.extend(other.events);
        self.unique_checks.extend(other.unique_checks);
        self.live_checks.extend(other.live_checks);
    }
}

/// Why a unit was not committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The row (of this table) has changed since it was read: reload it and decide again.
    #[error("the stored row of {0} is another than was expected")]
    Stale(&'static str),
    /// These live rows have a value that had to be free, or a row is not there that had to be; the caller gets `code`.
    #[error("{code:?}: a value is taken, or a row is missing {ids:?}")]
    Conflict { code: ErrorCode, ids: Vec<Id> },
    /// A unique value is taken.
    #[error("a unique value is taken: {0}")]
    Duplicate(String),
    /// The database can't be reached, or the queue is full; nothing was stored.
    #[error("not committed: {0}")]
    Unavailable(String),
    /// The connection broke at COMMIT: the unit may be stored or not. Forget the state in memory and reload it.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// A defect: the database refused this unit.
    #[error("the database refused the unit: {0}")]
    Refused(String),
}

/// The cause goes with the error, to be logged once, where the request is answered or the work is abandoned.
impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            // The aggregate has decided again several times and lost each time: the caller must retry.
            CommitError::Stale(_) | CommitError::Unavailable(_) | CommitError::Unknown(_) => {
                Self::unavailable().with_cause(error)
            }
            CommitError::Conflict { code, ids } => Self { candidates: ids, ..Self::new(code) },
            CommitError::Duplicate(_) | CommitError::Refused(_) => Self::internal(error),
        }
    }
}
