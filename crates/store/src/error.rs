//! Errors of the database.

use std::path::PathBuf;

use kernel::error::Error;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can't be reached or is too busy; nothing is known to be wrong with the request.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A unique index holds such a value already.
    #[error("a row with this value exists already ({0})")]
    Duplicate(String),
    /// There is no such SQLite file, and none was to be made.
    #[error("there is no database at {}", .0.display())]
    Missing(PathBuf),
    /// Anything else: a defect of this program, or a damaged row.
    #[error("the database refused: {0}")]
    Failed(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => {
                Self::Duplicate(db.constraint().unwrap_or(db.message()).to_owned())
            }
            sqlx::Error::Database(db) if is_passing(db.code().as_deref().unwrap_or_default()) => {
                Self::Unavailable(error.to_string())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// PostgreSQL: classes 08 (connection), 40 (rollback), 53 (resources), 55 (lock), 57 (operator);
/// SQLite: 5 BUSY, 6 LOCKED, 10 IOERR, 13 FULL (the low byte of the extended code).
fn is_passing(code: &str) -> bool {
    let postgres = code.len() == 5
        && ["08", "25P03", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class));
    let sqlite =
        code.len() < 5 && code.parse::<u32>().is_ok_and(|code| [5, 6, 10, 13].contains(&(code & 0xff)));
    postgres || sqlite
}

/// The cause goes with the error, to be logged once, where the request is answered or the work is abandoned.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable().with_cause(error),
            StoreError::Duplicate(_) | StoreError::Missing(_) | StoreError::Failed(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(format!("a stored row can't be read: {error}"))
    }
}
