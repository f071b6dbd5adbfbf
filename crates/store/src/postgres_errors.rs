//! What an error of PostgreSQL says about the connection and the server.

use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Whether a server that refuses a connection may accept one soon: it is starting, recovering or full.
pub(crate) fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
    }
}

/// What the server says when it takes no writes: it has become a standby, or its operator made it read-only.
const READ_ONLY: &str = "25006";

/// Classes of errors after which another connection may serve better, because it may lead to another server: read-only,
/// out of resources (a full disk), stopping, trouble of the system, internal errors.
const TROUBLED: [&str; 6] = ["08", READ_ONLY, "53", "57", "58", "XX"];

/// Whether the server takes no writes.
pub(crate) fn is_read_only(error: &sqlx::Error) -> bool {
    answer(error).is_some_and(|error| error.code() == READ_ONLY)
}

/// Whether the server only refused the statement, and the connection still works.
pub(crate) fn leaves_it_open(error: &sqlx::Error) -> bool {
    answer(error).is_some_and(|error| {
        let is_troubled = TROUBLED.iter().any(|class| error.code().starts_with(class));
        matches!(error.severity(), PgSeverity::Error) && !is_troubled
    })
}

fn answer(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}
