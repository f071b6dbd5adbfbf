//! Buckets of failed sign-ins, a row for each, so that attempts through all nodes count together. They are written
//! beside the journal, because nothing else is committed with them.

use crate::persistence::login_failures::{SignIn, remember};
use kernel::clock::Timestamp;
use store::db::{Db, StoreError, Tx};
use store::sql::Sql;

/// What one attempt takes from a bucket.
#[derive(Clone, Debug)]
pub struct Charge {
    pub id: String,
    /// Microseconds in which the bucket regains what one attempt takes.
    pub interval: i64,
    /// Microseconds in which an empty bucket becomes full.
    pub per: i64,
}

/// Takes one from each bucket, or from no bucket: then it returns the first bucket that is empty and when (microseconds
/// since 1970) that will be full again. Callers that share buckets pass them in the same order, so that there is no
/// deadlock.
pub async fn charge(
    db: &Db,
    charges: Vec<Charge>,
    now: Timestamp,
) -> Result<Option<(usize, i64)>, StoreError> {
    let on = db.clone();
    let task = db.runtime().spawn(async move {
        let mut tx = on.begin().await?;
        for (place, charge) in charges.iter().enumerate() {
            if tx.execute(&take(charge, now)).await? == 0 {
                // Dropping the transaction refunds the other buckets.
                return full_at(&mut tx, &charge.id).await.map(|full_at| Some((place, full_at)));
            }
        }
        tx.commit().await.map(|()| None)
    });
    task.await.map_err(|_| StoreError::Unavailable("a statement was cut off".into()))?
}

/// `throttle::Rate::taken` in SQL. It is one statement, so that concurrent attempts add up. It changes no row if the
/// bucket is empty.
fn take(charge: &Charge, now: Timestamp) -> Sql {
    let (now, interval) = (now.micros(), charge.interval);
    const LATER: &str = "CASE WHEN login_buckets.full_at > ? THEN login_buckets.full_at ELSE ? END";
    Sql::new("INSERT INTO login_buckets (id, full_at)")
        .push(" VALUES (?, ?)", [charge.id.as_str().into(), (now + interval).into()])
        .push(&format!(" ON CONFLICT (id) DO UPDATE SET full_at = {LATER}"), [now.into(), now.into()])
        .push(" + ?", [interval.into()])
        .push(&format!(" WHERE {LATER}"), [now.into(), now.into()])
        .push(" <= ?", [(now + charge.per - interval).into()])
}

async fn full_at(tx: &mut Tx, id: &str) -> Result<i64, StoreError> {
    let sql = Sql::new("SELECT CAST(full_at AS TEXT) FROM login_buckets").filter("id = ?", [id.into()]);
    let text = tx.text(&sql).await?.unwrap_or_else(|| "0".to_owned());
    text.parse().map_err(|_| StoreError::Failed(format!("not a number: {text}")))
}

/// Puts one back into each bucket, deletes those that are full again, and remembers the address of a sign-in.
pub async fn refund(
    db: &Db,
    charges: Vec<Charge>,
    signed_in: Option<SignIn>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let on = db.clone();
    let task = db.runtime().spawn(async move {
        let mut tx = on.begin().await?;
        for Charge { id, interval, .. } in &charges {
            let give = Sql::new("UPDATE login_buckets")
                .push(" SET full_at = full_at - ?", [(*interval).into()])
                .filter("id = ?", [id.as_str().into()]);
            tx.execute(&give).await?;
            let full = Sql::new("DELETE FROM login_buckets").filter("id = ?", [id.as_str().into()]);
            tx.execute(&full.filter("full_at <= ?", [now.micros().into()])).await?;
        }
        if let Some(signed_in) = &signed_in {
            tx.execute(&remember(signed_in, now)).await?;
        }
        tx.commit().await
    });
    task.await.map_err(|_| StoreError::Unavailable("a statement was cut off".into()))?
}

/// Deletes buckets that are full again, at most `limit` at a time; returns how many.
pub async fn purge(db: &Db, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let mut purged = 0;
    loop {
        let full = Sql::new("DELETE FROM login_buckets WHERE id IN (SELECT id FROM login_buckets")
            .filter("full_at <= ?", [now.micros().into()])
            .limit(limit)
            .push(")", []);
        let gone = db.execute(full).await?;
        purged += gone;
        // Attempts from many addresses make more buckets than one purge deletes.
        if gone < u64::try_from(limit).unwrap_or(u64::MAX) {
            return Ok(purged);
        }
    }
}
