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
    /// A restore into this database was interrupted.
    #[error(
        "a restore into this database did not finish, and it has a part of the backup only: delete it (the SQLite file, or the \
         PostgreSQL database), make it anew, and run `kizuna restore` again"
    )]
    Unfinished,
    /// Anything else: a defect of this program, or a damaged row.
    #[error("the database refused: {0}")]
    Failed(String),
}

/// Where a transaction failed that was to be committed.
#[derive(Debug)]
pub enum CommitFailure {
    /// Before its COMMIT: nothing is stored.
    Before(StoreError),
    /// At its COMMIT: the outcome is unknown.
    AtCommit(StoreError),
}

impl From<StoreError> for CommitFailure {
    fn from(error: StoreError) -> Self {
        Self::Before(error)
    }
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

/// Whether an error says that the database can't work now, rather than that the statement is wrong.
///
/// PostgreSQL: classes 08 (connection), 40 (rollback), 53 (resources: a full disk, too many connections), 55 (lock), 57
/// (operator), 58 (the system: I/O errors), and the states of a server that takes no writes (25006: read-only, as a standby
/// is) or has ended an idle transaction (25P03).
///
/// SQLite (the low byte of the extended code): 5 BUSY, 6 LOCKED, 7 NOMEM, 8 READONLY, 9 INTERRUPT, 10 IOERR, 13 FULL, 14
/// CANTOPEN (as on a full disk), 15 PROTOCOL.
fn is_passing(code: &str) -> bool {
    const POSTGRES: [&str; 8] = ["08", "25006", "25P03", "40", "53", "55", "57", "58"];
    const SQLITE: [u32; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];
    if code.len() == 5 {
        return POSTGRES.iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff)))
}

/// The cause goes with the error, to be logged once, where the request is answered or the work is abandoned.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable().with_cause(error),
            StoreError::Duplicate(_)
            | StoreError::Missing(_)
            | StoreError::Unfinished
            | StoreError::Failed(_) => Self::internal(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(format!("a stored row can't be read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_database_pass_and_wrong_statements_do_not() {
        // disk_full, read_only_sql_transaction, admin_shutdown, crash_shutdown, cannot_connect_now, io_error,
        // too_many_connections, deadlock_detected, lock_not_available
        for code in ["53100", "25006", "57P01", "57P02", "57P03", "58030", "53300", "40P01", "55P03"] {
            assert!(is_passing(code), "{code}");
        }
        // BUSY, READONLY, READONLY_DBMOVED, IOERR, IOERR_WRITE, IOERR_FSYNC, IOERR_SHMSIZE, FULL, CANTOPEN
        for code in ["5", "8", "1032", "10", "778", "1034", "4874", "13", "14"] {
            assert!(is_passing(code), "{code}");
        }
        // undefined_table, unique_violation, in_failed_sql_transaction; ERROR, CORRUPT, CONSTRAINT_UNIQUE, NOTADB
        for code in ["42P01", "23505", "25P02", "1", "11", "2067", "26", "", "XX000"] {
            assert!(!is_passing(code), "{code}");
        }
    }
}
