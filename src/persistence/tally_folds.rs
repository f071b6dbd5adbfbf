//! Adds to the tallies what the transactions of records only appended, with the indexes of texts ([`text_folds`]); and counts
//! all records anew (docs/decisions/0034).
//!
//! A transaction waits for at most one batch (SQLite has one writer), or for none (PostgreSQL: a batch locks nothing that
//! others write). Until its batch comes, a row is counted and found where it is.

use crate::persistence::found::Searched;
use crate::persistence::tallies::{RECORDS, UNFOLDED};
use crate::persistence::text_folds;
use crate::persistence::text_folds::texts_of_batch;
use store::db::{Db, StoreError, Tx};
use store::folds::Folded;
use store::sql::Sql;
use store::table::Dialect;

/// The rows of a batch: in SQLite one takes some 3 ms of the writer.
pub(super) const BATCH: i64 = 512;
/// Fewer rows stay where they are: they are read in less than a tenth of a millisecond, and a batch of few costs almost as
/// much as one of many.
pub const WORTH_FOLDING: i64 = 256;
/// Rows that are counted at most to say how many wait.
const WAITING_MAX: i64 = 100_000;

/// Of several nodes that want to fold or count anew, one does. In SQLite there is one writer.
const LOCK: &str = "hashtextextended('kizuna.tallies', 0)";

/// What each quarter of an hour of a user gets from the rows `{from}`, which have kind, owner, at, value, count and amount.
fn by_quarter(dialect: Dialect, from: &str) -> String {
    let (scope, quarter) = match dialect {
        Dialect::Sqlite => {
            ("owner", "'Q' || substr(at, 1, 14) || printf('%02d', substr(at, 15, 2) / 15 * 15)")
        }
        Dialect::Postgres => (
            "owner::text",
            "to_char(date_bin('15 minutes', at AT TIME ZONE 'UTC', TIMESTAMP '2000-01-01'), '\"Q\"YYYY-MM-DD\"T\"HH24:MI')",
        ),
    };
    format!(
        "SELECT kind, {scope} AS scope, {quarter} AS bucket, value, CAST(sum(count) AS BIGINT) AS count, \
         CAST(sum(count * (amount >> 32)) AS BIGINT) AS high, \
         CAST(sum(count * (amount & 4294967295)) AS BIGINT) AS low FROM {from} GROUP BY 1, 2, 3, 4"
    )
}

const COLUMNS: &str = "kind, scope, bucket, value, count, high, low";
const SUMS: &str = "CAST(sum(count) AS BIGINT), CAST(sum(high) AS BIGINT), CAST(sum(low) AS BIGINT)";

/// Adds the rows of `quarters`, which are by quarter and user, to all tallies. They are changed in one order.
fn add_to_tallies() -> String {
    let all_users = format!(
        "SELECT {COLUMNS} FROM quarters UNION ALL SELECT kind, '*', bucket, value, count, high, low FROM quarters"
    );
    let all_sizes = format!(
        "SELECT {COLUMNS} FROM scopes \
         UNION ALL SELECT kind, scope, 'D' || substr(bucket, 2, 10), value, count, high, low FROM scopes \
         UNION ALL SELECT kind, scope, 'E', value, count, high, low FROM scopes"
    );
    // WHERE true: without it SQLite reads ON CONFLICT as a join's ON.
    format!(
        "INSERT INTO tallies AS t ({COLUMNS}) SELECT kind, scope, bucket, value, {SUMS} FROM \
         (WITH scopes (kind, scope, bucket, value, count, high, low) AS ({all_users}) {all_sizes}) AS a \
         WHERE true GROUP BY kind, scope, bucket, value ORDER BY kind, scope, bucket, value \
         ON CONFLICT (kind, scope, bucket, value) \
         DO UPDATE SET count = t.count + excluded.count, high = t.high + excluded.high, low = t.low + excluded.low"
    )
}

/// Adds a batch of changes to the tallies, if `least` of them wait; in PostgreSQL also the texts of the records among them to
/// the indexes of texts.
///
/// # Errors
/// The database's; then nothing has changed.
pub async fn fold_tallies(db: Db, least: i64) -> Result<Folded, StoreError> {
    let changes = match db.dialect() {
        Dialect::Sqlite => "tally_changes".to_owned(),
        Dialect::Postgres => format!("tally_changes WHERE {UNFOLDED}"),
    };
    fold(db, &changes, least, Work::Tallies).await
}

/// Makes all tallies anew, of the records. Nobody can change a record meanwhile.
///
/// # Errors
/// `Unavailable`, also while others write for long: then nothing has changed.
pub async fn recount(db: &Db) -> Result<(), StoreError> {
    in_transaction(db, Work::Recount).await.map(drop)
}

pub(super) async fn fold(db: Db, rows: &str, least: i64, work: Work) -> Result<Folded, StoreError> {
    let some = format!("SELECT 1 FROM {rows} LIMIT {WAITING_MAX}");
    let waiting = db.number(Sql::new(format!("SELECT CAST(count(*) AS TEXT) FROM ({some}) AS w"))).await?;
    let folded = if waiting < least { 0 } else { in_transaction(&db, work).await? };
    Ok(Folded { waiting, folded })
}

#[derive(Clone, Copy)]
pub(super) enum Work {
    Tallies,
    /// SQLite's index of the customers' texts.
    CustomerTexts,
    /// SQLite's index of the texts of such records.
    RecordTexts(&'static Searched),
    Recount,
}

/// Does the work in a task that is never dropped; returns how many rows it took.
async fn in_transaction(db: &Db, work: Work) -> Result<i64, StoreError> {
    let held = db.clone();
    let task = db.runtime().spawn(async move {
        let mut tx = held.begin().await?;
        let rows = match (work, held.dialect()) {
            (Work::Tallies, Dialect::Sqlite) => tallies_sqlite(&mut tx).await?,
            (Work::Tallies, Dialect::Postgres) => batch_postgres(&mut tx).await?,
            (Work::CustomerTexts, _) => text_folds::customers(&mut tx).await?,
            (Work::RecordTexts(searched), _) => text_folds::records(&mut tx, searched).await?,
            (Work::Recount, dialect) => all_records(&mut tx, dialect).await?,
        };
        tx.commit().await.map(|()| rows)
    });
    task.await.map_err(|_| StoreError::Unavailable("the tallies were cut off".into()))?
}

pub(super) async fn number(tx: &mut Tx, sql: Sql) -> Result<i64, StoreError> {
    let text = tx.text(&sql).await?.unwrap_or_else(|| "0".to_owned());
    text.parse().map_err(|_| StoreError::Failed(format!("not a number: {text}")))
}

/// Runs a statement with these numbers; returns how many rows it touched.
pub(super) async fn run(tx: &mut Tx, text: &str, numbers: &[i64]) -> Result<i64, StoreError> {
    let sql = numbers.iter().fold(Sql::new(text), |sql, number| sql.with(*number));
    Ok(i64::try_from(tx.execute(&sql).await?).unwrap_or(i64::MAX))
}

/// In SQLite, the number of the last row of a batch of `table`, from after `after` on; zero without any.
pub(super) async fn last(tx: &mut Tx, table: &str, after: i64) -> Result<i64, StoreError> {
    let next = format!("SELECT number FROM {table} NOT INDEXED WHERE number > ? ORDER BY number");
    let next = Sql::default().push(&next, [after.into()]).limit(BATCH);
    number(tx, next.within("CAST(coalesce(max(number), 0) AS TEXT)", "n")).await
}

async fn tallies_sqlite(tx: &mut Tx) -> Result<i64, StoreError> {
    let last = last(tx, "tally_changes", 0).await?;
    let quarters = by_quarter(Dialect::Sqlite, "tally_changes WHERE number <= $1 AND count <> 0");
    run(tx, &format!("WITH quarters AS ({quarters}) {}", add_to_tallies()), &[last]).await?;
    run(tx, "DELETE FROM tally_changes WHERE number <= $1", &[last]).await
}

/// One statement, and so one state of the database. What is changed meanwhile has a change of its own, for a later batch.
async fn batch_postgres(tx: &mut Tx) -> Result<i64, StoreError> {
    let lock = format!("SELECT CAST(pg_try_advisory_xact_lock({LOCK}) AS TEXT)");
    if tx.text(&Sql::new(lock)).await?.as_deref() != Some("true") {
        return Ok(0);
    }
    // Read before the snapshot of the last statement, whose `xmax` every transaction with such a number is below.
    let drawn = number(tx, Sql::new("SELECT CAST(last_value AS TEXT) FROM tally_changes_number_seq")).await?;
    let quarters = by_quarter(Dialect::Postgres, "batch WHERE count <> 0");
    let batch = format!(
        "WITH batch AS ( \
            DELETE FROM tally_changes WHERE number IN ( \
                SELECT number FROM tally_changes WHERE {UNFOLDED} \
                ORDER BY number LIMIT {BATCH}) \
            RETURNING kind, record, owner, at, value, count, amount \
        ), quarters AS ({quarters}), sums AS ({}), {} \
        SELECT CAST(count(*) AS TEXT) FROM batch",
        add_to_tallies(),
        texts_of_batch()
    );
    let rows = number(tx, Sql::new(batch)).await?;
    run(tx, ADVANCE, &[drawn]).await?;
    Ok(rows)
}

/// Moves the number up to which no change is left; $1: the last number that was drawn. A `seen_xid` that is still to come
/// is of another server, from which this database was restored.
const ADVANCE: &str = "\
    UPDATE tally_folds AS f SET \
        folded = CASE WHEN s.ended THEN greatest(f.folded, least(f.seen, coalesce(s.first - 1, f.seen))) ELSE f.folded END, \
        seen = CASE WHEN s.ended THEN $1 ELSE f.seen END, \
        seen_xid = CASE WHEN s.ended THEN s.next_xid ELSE f.seen_xid END \
    FROM ( \
        SELECT o.seen_xid <= pg_snapshot_xmin(now)::text::bigint OR o.seen_xid > pg_snapshot_xmax(now)::text::bigint AS ended, \
            pg_snapshot_xmax(now)::text::bigint AS next_xid, \
            (SELECT min(number) FROM tally_changes WHERE number > o.folded) AS first \
        FROM tally_folds AS o CROSS JOIN pg_current_snapshot() AS now WHERE o.id = 0 \
    ) AS s WHERE f.id = 0";

/// Changes that wait are in the records already. They stay, counting nothing, for the index of texts.
async fn all_records(tx: &mut Tx, dialect: Dialect) -> Result<i64, StoreError> {
    if dialect == Dialect::Postgres {
        run(tx, "SET LOCAL statement_timeout = 0", &[]).await?;
        tx.text(&Sql::new(format!("SELECT CAST(pg_advisory_xact_lock({LOCK}) AS TEXT)"))).await?;
        let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", RECORDS.join(", "));
        run(tx, &lock, &[]).await?;
    }
    run(tx, "UPDATE tally_changes SET count = 0", &[]).await?;
    run(tx, "DELETE FROM tallies", &[]).await?;
    let add = |scope: &str, bucket: &str, from: &str| {
        format!(
            "INSERT INTO tallies ({COLUMNS}) SELECT kind, {scope}, {bucket}, value, {SUMS} FROM {from} GROUP BY 1, 2, 3, 4"
        )
    };
    run(tx, &format!("INSERT INTO tallies ({COLUMNS}) {}", by_quarter(dialect, "tallied")), &[]).await?;
    run(tx, &add("'*'", "bucket", "tallies"), &[]).await?;
    run(tx, &add("scope", "'D' || substr(bucket, 2, 10)", "tallies"), &[]).await?;
    run(tx, &add("scope", "'E'", "tallies WHERE bucket < 'E'"), &[]).await
}
