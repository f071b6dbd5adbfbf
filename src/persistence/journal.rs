//! Committing a group of units in one transaction of four steps, however many rows: begin, read what is
//! compared, write everything, commit. A step costs a thread hop (SQLite) or a round trip (PostgreSQL).
//!
//! A unit that the database refuses for itself makes the group fall apart into transactions of their own,
//! so that it takes no neighbour with it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::db::{Db, StoreError, Tx};
use super::log::{EVENTS, EventRow, SLICES};
use super::sql::Sql;
use super::table::{Dialect, Table};
use super::unit::{Change, Rejection, Unit};
use crate::actors::event::{Event, LoggedEvent};
use crate::failpoint;

/// What became of one unit: its events with their places in the log, or why it was left out.
pub type Outcome = Result<Vec<Arc<LoggedEvent>>, Rejection>;

/// Commits `units`; the answer has one outcome a unit, in their order.
pub async fn commit(db: &Db, units: Vec<Unit>) -> Vec<Outcome> {
    let mut done = commit_together(db, &units).await;
    if units.len() == 1 && matches!(done, Err(Failure::Before(StoreError::Duplicate(_)))) {
        // Another node may have made a row since it was looked for: a second look finds the unit stale.
        done = commit_together(db, &units).await;
    }
    match done {
        Ok(outcomes) => outcomes,
        Err(Failure::Commit(error)) => {
            units.iter().map(|_| Err(Rejection::Unknown(error.to_string()))).collect()
        }
        Err(Failure::Before(StoreError::Unavailable(why))) => {
            units.iter().map(|_| Err(Rejection::Unavailable(why.clone()))).collect()
        }
        Err(Failure::Before(StoreError::Duplicate(value))) if units.len() == 1 => {
            vec![Err(Rejection::Duplicate(value))]
        }
        Err(Failure::Before(StoreError::Failed(why))) if units.len() == 1 => {
            vec![Err(Rejection::Refused(why))]
        }
        Err(Failure::Before(_)) => {
            let mut outcomes = Vec::with_capacity(units.len());
            for unit in units {
                outcomes.extend(Box::pin(commit(db, vec![unit])).await);
            }
            outcomes
        }
    }
}

/// Where a transaction broke: before its COMMIT nothing is stored, at its COMMIT nobody knows.
enum Failure {
    Before(StoreError),
    Commit(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Before(error)
    }
}

async fn commit_together(db: &Db, units: &[Unit]) -> Result<Vec<Outcome>, Failure> {
    failpoint::hit("journal.before_begin");
    let mut tx = db.begin().await?;
    let (stored, mut slices) = read(&mut tx, db.dialect(), units).await?;
    let mut outcomes: Vec<Outcome> = units.iter().map(|unit| check(unit, &stored)).collect();
    place_events(units, &mut outcomes, &mut slices)?;
    write(&mut tx, db.dialect(), units, &outcomes).await?;
    failpoint::hit("journal.before_commit");
    tx.commit().await.map_err(Failure::Commit)?;
    failpoint::hit("journal.after_commit");
    Ok(outcomes)
}

/// Stored fences by table and id.
type Stored = HashMap<String, HashMap<String, i64>>;
/// The last number of each slice.
type Slices = HashMap<i64, i64>;

/// Reads every fence, and the slices that events will stand in. PostgreSQL locks these rows, table by table
/// in the order of names and keys, and the slices last: two nodes never wait for each other in a circle.
async fn read(tx: &mut Tx, dialect: Dialect, units: &[Unit]) -> Result<(Stored, Slices), StoreError> {
    let mut wanted: BTreeMap<&str, (&Table, Vec<&str>)> = BTreeMap::new();
    for write in units.iter().flat_map(|unit| &unit.writes).filter(|write| write.expects.is_some()) {
        wanted.entry(write.table.name).or_insert((write.table, Vec::new())).1.push(&write.id);
    }
    let mut parts = Vec::new();
    let mut sql = Sql::default();
    for (place, (table, ids)) in wanted.values().enumerate() {
        parts.push((table.name, table.fences(dialect, place + 1)));
        sql = sql.with(serde_json::to_string(ids)?);
    }
    let slices: BTreeSet<i64> = units.iter().flat_map(|unit| &unit.events).map(Event::slice).collect();
    parts.push((SLICES.name, SLICES.fences(dialect, wanted.len() + 1)));
    let sql = sql.with(serde_json::to_string(&slices)?).wrapped(|_| dialect.object(&parts));
    let text = tx.text(&sql).await?.unwrap_or_default();
    let mut read: HashMap<String, Vec<(serde_json::Value, i64)>> = serde_json::from_str(&text)?;
    let slices = read.remove(SLICES.name).unwrap_or_default();
    let slices = slices.into_iter().filter_map(|(slice, last)| Some((slice.as_i64()?, last))).collect();
    let named = |(id, fence): (serde_json::Value, i64)| Some((id.as_str()?.to_owned(), fence));
    let stored = read.into_iter().map(|(table, rows)| (table, rows.into_iter().filter_map(named).collect()));
    Ok((stored.collect(), slices))
}

/// A unit loses if a stored row is another than it builds on.
fn check(unit: &Unit, stored: &Stored) -> Outcome {
    for write in &unit.writes {
        let Some(expects) = write.expects else { continue };
        let found = stored.get(write.table.name).and_then(|rows| rows.get(&write.id)).copied().unwrap_or(0);
        if found != expects {
            return Err(Rejection::Stale(write.table.name));
        }
    }
    Ok(Vec::new())
}

/// Gives each event of the remaining units the next number of its slice.
fn place_events(units: &[Unit], outcomes: &mut [Outcome], slices: &mut Slices) -> Result<(), StoreError> {
    for (unit, outcome) in units.iter().zip(outcomes) {
        let Ok(placed) = outcome else { continue };
        for event in &unit.events {
            let slice = event.slice();
            let last =
                slices.get_mut(&slice).ok_or_else(|| StoreError::Failed(format!("no slice {slice}")))?;
            *last += 1;
            placed.push(Arc::new(LoggedEvent { slice, slice_seq: *last, event: event.clone() }));
        }
    }
    Ok(())
}

/// Writes the rows, deletions, events and slices of the remaining units as one statement.
async fn write(
    tx: &mut Tx,
    dialect: Dialect,
    units: &[Unit],
    outcomes: &[Outcome],
) -> Result<(), StoreError> {
    let mut puts: BTreeMap<&str, (&Table, Vec<Cow<str>>)> = BTreeMap::new();
    let mut deletes: BTreeMap<&str, (&Table, Vec<&str>)> = BTreeMap::new();
    let mut slices: BTreeMap<i64, i64> = BTreeMap::new();
    let kept = || units.iter().zip(outcomes).filter_map(|(unit, done)| Some((unit, done.as_ref().ok()?)));
    // Rows that no fence has locked are locked here: in the order of ids, for the same reason.
    let mut writes: Vec<_> = kept().flat_map(|(unit, _)| &unit.writes).collect();
    writes.sort_by_key(|write| &write.id);
    for write in writes {
        let (table, name) = (write.table, write.table.name);
        match &write.change {
            Change::Put(row) => puts.entry(name).or_insert((table, Vec::new())).1.push(row.into()),
            Change::Delete => deletes.entry(name).or_insert((table, Vec::new())).1.push(&write.id),
        }
    }
    for event in kept().flat_map(|(_, events)| events) {
        let row = serde_json::to_string(&EventRow::from(&**event))?;
        puts.entry(EVENTS.name).or_insert((&EVENTS, Vec::new())).1.push(row.into());
        slices.insert(event.slice, event.slice_seq);
    }
    for (slice, last) in slices {
        let row = format!(r#"{{"slice":{slice},"last_seq":{last}}}"#);
        puts.entry(SLICES.name).or_insert((&SLICES, Vec::new())).1.push(row.into());
    }
    let mut statements = Vec::new();
    let mut sql = Sql::default();
    for (table, ids) in deletes.values() {
        statements.push(table.delete(dialect, statements.len() + 1));
        sql = sql.with(serde_json::to_string(ids)?);
    }
    for (table, rows) in puts.values() {
        statements.push(table.put(dialect, statements.len() + 1));
        sql = sql.with(format!("[{}]", rows.join(",")));
    }
    if !statements.is_empty() {
        tx.execute(&sql.wrapped(|_| dialect.together(&statements))).await?;
    }
    Ok(())
}
