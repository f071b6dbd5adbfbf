//! Brings the indexes of texts up to date, in batches: those of customers, meetings, tasks, approvals and deals (docs/decisions/0033).
//! In PostgreSQL that is a part of folding the tallies, whose changes name the records.

use crate::persistence::found::{APPROVALS, DEALS, MEETINGS, Searched, TASKS};
use crate::persistence::tally_folds::{BATCH, Work, fold, last, number, run};
use store::db::{Db, StoreError, Tx};
use store::folds::Folded;
use store::sql::Sql;
use store::table::Dialect;

/// The records that are found by their texts and their customer's name.
const SEARCHED: [&Searched; 4] = [&MEETINGS, &TASKS, &APPROVALS, &DEALS];

/// Brings SQLite's indexes of texts up to date by a batch each, where `least` records wait.
///
/// # Errors
/// The database's; then the batch has changed nothing.
pub async fn fold_texts(db: Db, least: i64) -> Result<Folded, StoreError> {
    const CUSTOMERS: &str = "(SELECT number FROM customer_gram_changes UNION ALL \
        SELECT number FROM customers NOT INDEXED WHERE number > (SELECT number FROM customer_grams_end))";
    if db.dialect() == Dialect::Postgres {
        return Ok(Folded::default());
    }
    let mut all = fold(db.clone(), CUSTOMERS, least, Work::CustomerTexts).await?;
    for searched in SEARCHED {
        let changes = searched.changes();
        let of = fold(db.clone(), changes, least, Work::RecordTexts(searched)).await?;
        all = Folded { waiting: all.waiting + of.waiting, folded: all.folded + of.folded };
    }
    Ok(all)
}

/// A batch of customers. The order matters: a new customer may have the number of one that was removed.
pub(super) async fn customers(tx: &mut Tx) -> Result<i64, StoreError> {
    let last_change = last(tx, "customer_gram_changes", 0).await?;
    for statement in CHANGED_CUSTOMERS {
        run(tx, statement, &[last_change]).await?;
    }
    let changed = run(tx, "DELETE FROM customer_gram_changes WHERE number <= $1", &[last_change]).await?;
    if changed >= BATCH {
        return Ok(changed);
    }
    // SQLite gives the numbers after the last customer again.
    let end = "UPDATE customer_grams_end SET number = min(number, (SELECT coalesce(max(number), 0) FROM customers))";
    run(tx, end, &[]).await?;
    let end = number(tx, Sql::new("SELECT CAST(number AS TEXT) FROM customer_grams_end")).await?;
    let last_new = last(tx, "customers", end).await?.max(end);
    run(tx, NEW_CUSTOMERS, &[end, last_new]).await?;
    run(tx, "UPDATE customer_grams_end SET number = $1", &[last_new]).await?;
    Ok(changed + last_new - end)
}

/// What the index had of changed customers, and what it gets.
const CHANGED_CUSTOMERS: [&str; 2] = [
    "INSERT INTO customer_grams (customer_grams, rowid, search) SELECT 'delete', number, was || char(10, 10) \
     FROM customer_gram_changes WHERE number <= $1 AND was IS NOT NULL",
    "INSERT INTO customer_grams (rowid, search) SELECT c.number, c.search || char(10, 10) \
     FROM customer_gram_changes AS g CROSS JOIN customers AS c ON c.number = g.number \
     WHERE g.number <= $1 AND c.deleted_at IS NULL",
];
const NEW_CUSTOMERS: &str = "INSERT INTO customer_grams (rowid, search) SELECT number, search || char(10, 10) \
    FROM customers NOT INDEXED WHERE number > $1 AND number <= $2 AND deleted_at IS NULL";

/// A batch of records: the index forgets the text that it had of each, and gets the one that the record has now.
pub(super) async fn records(tx: &mut Tx, searched: &Searched) -> Result<i64, StoreError> {
    let (changes, texts, index) = (searched.changes(), searched.texts(), searched.grams());
    let last = last(tx, changes, 0).await?;
    let batch = format!("(SELECT DISTINCT id FROM {changes} WHERE number <= $1) AS c");
    let indexed = format!("FROM {batch} CROSS JOIN {texts} AS t ON t.id = c.id");
    let statements = [
        format!("INSERT INTO {index} ({index}, rowid, search) SELECT 'delete', t.number, t.search {indexed}"),
        format!("DELETE FROM {texts} WHERE id IN (SELECT id FROM {batch})"),
        format!(
            "INSERT INTO {texts} (id, search) SELECT r.id, {} || char(10, 10) \
             FROM {batch} CROSS JOIN {} AS r ON r.id = c.id WHERE {}",
            searched.text("r"),
            searched.table(),
            searched.lives("r"),
        ),
        format!("INSERT INTO {index} (rowid, search) SELECT t.number, t.search {indexed}"),
    ];
    for statement in &statements {
        run(tx, statement, &[last]).await?;
    }
    run(tx, &format!("DELETE FROM {changes} WHERE number <= $1"), &[last]).await
}

/// The subqueries that write the texts of the records of a batch of changes, `batch`, and delete those of records that are gone.
pub(super) fn texts_of_batch() -> String {
    let customers = written(
        "customers",
        "customer_texts",
        "SELECT record AS id FROM batch WHERE kind = 'customers'",
        "search",
        "deleted_at IS NULL",
    );
    let records = SEARCHED.map(|searched| {
        let (table, lives) = (searched.table(), searched.lives("r"));
        // The records of a customer with another name have no change of their own.
        let changed = format!(
            "SELECT record AS id FROM batch WHERE kind = '{table}' UNION \
             SELECT of.id FROM batch CROSS JOIN LATERAL \
                (SELECT r.id FROM {table} AS r WHERE r.customer_id = batch.record AND {lives} OFFSET 0) AS of \
             WHERE kind = '{}'",
            searched.replica(),
        );
        written(table, searched.texts(), &changed, &searched.text("r"), &lives)
    });
    format!("{customers}, {}", records.join(", "))
}

/// Each record is found by its id: `OFFSET 0` leaves the planner no other way, which may have planned this while the tables
/// were empty.
fn written(table: &str, texts: &str, changed: &str, text: &str, lives: &str) -> String {
    format!(
        "{table}_changed AS (SELECT DISTINCT id FROM ({changed}) AS c), \
        {table}_now AS (SELECT c.id, t.search FROM {table}_changed AS c LEFT JOIN LATERAL \
            (SELECT {text} AS search FROM {table} AS r WHERE r.id = c.id AND {lives} OFFSET 0) AS t ON true), \
        {table}_written AS ( \
            INSERT INTO {texts} (id, grams) SELECT id, search_grams(search) FROM {table}_now WHERE search IS NOT NULL \
            ON CONFLICT (id) DO UPDATE SET grams = excluded.grams \
        ), \
        {table}_gone AS ( \
            DELETE FROM {texts} WHERE ctid = ANY (ARRAY( \
                SELECT t.row FROM {table}_now AS n CROSS JOIN LATERAL \
                    (SELECT ctid AS row FROM {texts} AS t WHERE t.id = n.id OFFSET 0) AS t WHERE n.search IS NULL)) \
        )"
    )
}
