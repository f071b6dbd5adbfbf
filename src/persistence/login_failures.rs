//! How often strangers failed to sign in to an account, and from which addresses its user has signed in. Written beside
//! the journal, because nothing else is committed with them.

use kernel::clock::Timestamp;
use store::db::{Db, StoreError};
use store::sql::Sql;

/// The failures of strangers at an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    pub count: i64,
    /// Microseconds since 1970.
    pub last_at: i64,
}

/// The failures that are remembered of the account with this id.
pub async fn failures(db: &Db, account: &str) -> Result<Failures, StoreError> {
    let sql =
        Sql::new("SELECT CAST(failures AS TEXT) || ' ' || CAST(last_failed_at AS TEXT) FROM login_failures")
            .filter("id = ?", [account.into()]);
    let Some(text) = db.text(sql).await? else { return Ok(Failures::default()) };
    let numbers =
        text.split_once(' ').and_then(|(count, last_at)| Some((count.parse().ok()?, last_at.parse().ok()?)));
    let (count, last_at) = numbers.ok_or_else(|| StoreError::Failed(format!("not two numbers: {text}")))?;
    Ok(Failures { count, last_at })
}

/// Counts a failure; those before `since` (microseconds since 1970) are forgotten if there was none after it.
pub async fn add_failure(db: &Db, account: &str, now: Timestamp, since: i64) -> Result<(), StoreError> {
    let now = now.micros();
    let sql = Sql::new("INSERT INTO login_failures (id, failures, last_failed_at)")
        .push(" VALUES (?, 1, ?)", [account.into(), now.into()])
        .push(
            " ON CONFLICT (id) DO UPDATE SET failures = CASE WHEN login_failures.last_failed_at < ? THEN 1 \
             ELSE login_failures.failures + 1 END, last_failed_at = ?",
            [since.into(), now.into()],
        );
    db.execute(sql).await.map(drop)
}

/// Whether a sign-in of this user from this address is remembered; `id` names both.
pub async fn is_known(db: &Db, id: &str) -> Result<bool, StoreError> {
    let sql = Sql::new("SELECT CAST(count(*) AS TEXT) FROM login_addresses").filter("id = ?", [id.into()]);
    Ok(db.number(sql).await? > 0)
}

/// A sign-in that is to be remembered.
pub struct SignIn {
    /// Names user and address.
    pub id: String,
    /// Microseconds since 1970: one that was remembered after this stays as it is.
    pub since: i64,
}

/// Remembers a sign-in.
pub(super) fn remember(sign_in: &SignIn, now: Timestamp) -> Sql {
    Sql::new("INSERT INTO login_addresses (id, seen_at)")
        .push(" VALUES (?, ?)", [sign_in.id.as_str().into(), now.micros().into()])
        .push(" ON CONFLICT (id) DO UPDATE SET seen_at = ?", [now.micros().into()])
        .push(" WHERE login_addresses.seen_at < ?", [sign_in.since.into()])
}

/// Deletes failures from before `failed` and addresses from before `seen` (microseconds since 1970), at most `limit` of
/// each; returns how many.
pub async fn purge(db: &Db, failed: i64, seen: i64, limit: i64) -> Result<u64, StoreError> {
    let mut purged = 0;
    for (table, column, before) in
        [("login_failures", "last_failed_at", failed), ("login_addresses", "seen_at", seen)]
    {
        let old = Sql::new(format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table}"))
            .filter(&format!("{column} < ?"), [before.into()])
            .limit(limit)
            .push(")", []);
        purged += db.execute(old).await?;
    }
    Ok(purged)
}
