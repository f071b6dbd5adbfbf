//! First answers to requests with an `Idempotency-Key` (SPEC §2), stored in the transaction of their effect.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::db::{Db, StoreError};
use crate::sql::Sql;
use crate::table::{Kind, OnConflict, Table};
use crate::unit_of_work::{CommitError, Write};
use kernel::clock::Timestamp;
use kernel::context::IdempotencyClaim;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

pub static IDEMPOTENCY_KEYS: Table = Table {
    name: "idempotency_keys",
    columns: &[
        ("id", Kind::Text),
        ("fingerprint", Kind::Text),
        ("status", Kind::Int),
        ("location", Kind::Text),
        ("version", Kind::Int),
        ("body", Kind::Json),
        ("created_at", Kind::Time),
    ],
    on_conflict: OnConflict::Fail,
    fence: "status",
};

/// The first answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub struct FirstAnswer {
    /// `user/key`, so that keys of two users never collide.
    pub id: String,
    /// A hash of method, path and body: a key may not be used for a different request.
    pub fingerprint: String,
    pub status: u16,
    pub location: Option<String>,
    /// The record's version, for the `ETag`.
    pub version: Option<i64>,
    pub body: Box<RawValue>,
    pub created_at: Timestamp,
}

impl FirstAnswer {
    /// The first answer to the request that holds `claim`: `body` is what the record looks like to its caller.
    pub fn new(
        claim: &IdempotencyClaim,
        id: Id,
        version: Option<i64>,
        body: Box<RawValue>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: claim.id.clone(),
            fingerprint: claim.fingerprint.clone(),
            status: claim.status,
            location: claim.location.as_ref().map(|path| format!("{path}/{id}")),
            version,
            body,
            created_at: now,
        }
    }

    /// Stores the answer, on condition that the key is unused.
    pub fn write(&self) -> Write {
        Write::put(&IDEMPOTENCY_KEYS, &self.id, self).expecting(0)
    }
}

/// The first answer under this id. An answer from before `since` has expired, and is deleted.
pub async fn find(db: &Db, id: &str, since: Timestamp) -> Result<Option<FirstAnswer>, StoreError> {
    let found: Vec<FirstAnswer> =
        db.rows(&IDEMPOTENCY_KEYS, Sql::default().filter("id = ?", [id.into()])).await?;
    let found = found.into_iter().next();
    if found.as_ref().is_some_and(|answer| answer.created_at < since) {
        let expired = Sql::new("DELETE FROM idempotency_keys").filter("id = ?", [id.into()]);
        db.execute(expired.filter("created_at < ?", [since.into()])).await?;
        return Ok(None);
    }
    Ok(found)
}

/// What came of a commit that is decided again if a row has changed meanwhile: `None` then.
///
/// # Errors
/// `request_in_flight` if another request with the key was committed a moment ago, whose answer the gateway reads; others of
/// the commit.
pub fn unless_stale<T>(outcome: Result<T, CommitError>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(done) => Ok(Some(done)),
        Err(CommitError::Stale(table)) if table == IDEMPOTENCY_KEYS.name => {
            Err(Error::new(ErrorCode::RequestInFlight))
        }
        Err(CommitError::Stale(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Deletes answers older than `before`, at most `limit`; returns how many.
pub async fn purge(db: &Db, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = Sql::new("DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys")
        .filter("created_at < ?", [before.into()])
        .limit(limit)
        .push(")", []);
    db.execute(sql).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_changed_is_decided_again_and_a_key_that_was_taken_is_not() {
        assert_eq!(unless_stale(Ok(1)).unwrap(), Some(1));
        assert_eq!(unless_stale::<()>(Err(CommitError::Stale("tasks"))).unwrap(), None);
        let taken = unless_stale::<()>(Err(CommitError::Stale(IDEMPOTENCY_KEYS.name))).unwrap_err();
        assert_eq!(taken.code, ErrorCode::RequestInFlight);
        let away = unless_stale::<()>(Err(CommitError::Unavailable("away".into()))).unwrap_err();
        assert_eq!(away.code, ErrorCode::Unavailable);
    }
}
