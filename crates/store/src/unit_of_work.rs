//! A unit of work: what must be committed together, or not at all.

use serde::Serialize;

use crate::table::Table;
use kernel::error::{Error, ErrorCode};
use kernel::event::Event;
use kernel::ids::Id;

/// What happens to a row.
#[derive(Clone, Debug)]
pub enum Change {
    /// The row as a JSON object, its keys the columns' names.
    Put(String),
    Delete,
    /// None: only what is expected of it is looked at.
    Check,
}

/// One row's change, and what must be true of the stored row for it.
#[derive(Clone, Debug)]
pub struct Write {
    pub table: &'static Table,
    /// The primary key as text.
    pub id: String,
    pub change: Change,
    /// The stored fence (version, position) this write builds on; 0: there is no such row; none: unchecked.
    pub expects: Option<i64>,
}

impl Write {
    /// Writes `row` without looking at the stored one.
    pub fn put(table: &'static Table, id: impl ToString, row: &impl Serialize) -> Self {
        Self::row(table, id, serde_json::to_string(row).expect("rows are plain structs"))
    }

    /// The same for a row that is JSON already.
    pub fn row(table: &'static Table, id: impl ToString, row: String) -> Self {
        Self { table, id: id.to_string(), change: Change::Put(row), expects: None }
    }

    /// Deletes the row.
    pub fn delete(table: &'static Table, id: impl ToString) -> Self {
        Self { table, id: id.to_string(), change: Change::Delete, expects: None }
    }

    /// Leaves the row as it is; what it is expected to be makes this a condition.
    pub fn check(table: &'static Table, id: impl ToString) -> Self {
        Self { table, id: id.to_string(), change: Change::Check, expects: None }
    }

    /// Only if the stored fence is `fence` (0: absent).
    pub fn expecting(self, fence: i64) -> Self {
        Self { expects: Some(fence), ..self }
    }
}

/// A value that no live row may have when the unit is committed. Looked for in the committing transaction, so
/// that of two units that want it at once, on whichever nodes, only one is committed.
#[derive(Clone, Debug, Serialize)]
pub struct UniqueCheck {
    #[serde(skip)]
    pub table: &'static Table,
    #[serde(skip)]
    pub column: &'static str,
    pub value: String,
    /// Only rows of this owner count.
    pub owner: Option<Id>,
    /// The row that may have it.
    pub except: Option<Id>,
    /// What the caller is told when a row has it.
    #[serde(skip)]
    pub code: ErrorCode,
}

/// State rows, events, idempotency key and cursor of one command or one consumer's batch.
#[derive(Clone, Debug, Default)]
pub struct UnitOfWork {
    pub writes: Vec<Write>,
    pub events: Vec<Event>,
    pub unique_checks: Vec<UniqueCheck>,
}

impl UnitOfWork {
    /// What two units of one transaction must not both touch.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let rows = self.writes.iter().map(|write| (write.table.name, write.id.as_str()));
        rows.chain(self.unique_checks.iter().map(|check| (check.column, check.value.as_str())))
    }

    /// Takes in what is to be committed with it.
    pub fn join(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.events.extend(other.events);
        self.unique_checks.extend(other.unique_checks);
    }
}

/// Why one unit of a group was left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else changed the row (of this table) since it was read: reload and decide again.
    #[error("the stored row of {0} is another than was expected")]
    Stale(&'static str),
    /// These live rows have a value that had to be free; the caller is told by `code`.
    #[error("a value is taken by {ids:?}")]
    Conflict { code: ErrorCode, ids: Vec<Id> },
    /// A unique value is taken.
    #[error("a unique value is taken: {0}")]
    Duplicate(String),
    /// The database can't be reached, or the queue is full; nothing was stored.
    #[error("not committed: {0}")]
    Unavailable(String),
    /// The connection broke at COMMIT: stored or not, nobody knows. Forget what is in memory and reload.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// A defect: the database refused the unit for itself.
    #[error("the database refused the unit: {0}")]
    Refused(String),
}

/// The cause goes with the error, to be logged once by whoever answers the request or gives up.
impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            // The aggregate has decided again several times and lost each: let the caller come back.
            CommitError::Stale(_) | CommitError::Unavailable(_) | CommitError::Unknown(_) => {
                Self::unavailable().with_cause(error)
            }
            CommitError::Conflict { code, ids } => Self { candidates: ids, ..Self::new(code) },
            CommitError::Duplicate(_) | CommitError::Refused(_) => Self::internal(error),
        }
    }
}
