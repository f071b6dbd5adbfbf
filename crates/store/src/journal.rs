//! Commits a group of units in one transaction of four steps, whatever the number of rows: begin, read the compared
//! rows, write everything, commit. In PostgreSQL each step is a round trip; SQLite's thread is called twice, for two
//! steps each.
//!
//! If the database refuses one unit, each unit of the group is committed in a transaction of its own, so that the
//! others are not lost with it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::db::{Db, StoreError, Tx};
use crate::error::CommitFailure;
use crate::log::{EVENTS, LOG_HEAD, LOG_HEAD_ID, PARTITIONS};
use crate::sql::Sql;
use crate::table::{Dialect, Table};
use crate::unit_of_work::{Change, CommitError, LiveCheck, UniqueCheck, UnitOfWork};
use kernel::event::{Event, EventRecord, LoggedEvent};
use kernel::failpoint;
use kernel::ids::Id;
use kernel::simulation::mutant;

/// The outcome of one unit: its events with their positions in the log, or why it was rejected.
pub type Outcome = Result<Vec<Arc<LoggedEvent>>, CommitError>;

/// Commits `units`; returns an outcome for each unit, in their order.
pub async fn commit(db: &Db, units: Vec<UnitOfWork>) -> Vec<Outcome> {
    let mut done = commit_together(db, &units).await;
    if units.len() == 1 && matches!(done, Err(CommitFailure::Before(StoreError::Duplicate(_)))) {
        // Another node may have inserted a row since the comparison: a second try finds the unit stale.
        done = commit_together(db, &units).await;
    }
    match done {
        Ok(outcomes) => outcomes,
        Err(CommitFailure::AtCommit(error)) => {
            units.iter().map(|_| Err(CommitError::Unknown(error.to_string()))).collect()
        }
        Err(CommitFailure::Before(StoreError::Unavailable(why))) => {
            units.iter().map(|_| Err(CommitError::Unavailable(why.clone()))).collect()
        }
        Err(CommitFailure::Before(StoreError::Duplicate(value))) if units.len() == 1 => {
            vec![Err(CommitError::Duplicate(value))]
        }
        Err(CommitFailure::Before(StoreError::Failed(why))) if units.len() == 1 => {
            vec![Err(CommitError::Refused(why))]
        }
        Err(CommitFailure::Before(_)) => {
            let mut outcomes = Vec::with_capacity(units.len());
            for unit in units {
                outcomes.extend(Box::pin(commit(db, vec![unit])).await);
            }
            outcomes
        }
    }
}

async fn commit_together(db: &Db, units: &[UnitOfWork]) -> Result<Vec<Outcome>, CommitFailure> {
    failpoint::hit("journal.before_begin");
    let locks = if mutant("no-value-lock") { BTreeSet::new() } else { unique_values(units) };
    let mut tx = db.begin_with_locks(&locks).await?;
    let mut stored = read(&mut tx, db.dialect(), units).await?;
    let mut outcomes: Vec<Outcome> =
        units.iter().enumerate().map(|(place, unit)| check(place, unit, &stored)).collect();
    place_events(units, &mut outcomes, &mut stored)?;
    let (sql, statements) = writes(db.dialect(), units, &outcomes)?;
    let committed = tx.execute_and_commit(sql, statements).await;
    if !mutant("failed-commit-published") {
        committed?;
    }
    failpoint::hit("journal.after_commit");
    Ok(outcomes)
}

/// The values that must be absent. Of two nodes that want the same value, the second waits for the first one's commit
/// before it looks for the value.
fn unique_values(units: &[UnitOfWork]) -> BTreeSet<String> {
    let wanted = units.iter().flat_map(|unit| &unit.unique_checks);
    wanted.map(|absent| format!("{}.{}={}", absent.table.name, absent.column, absent.value)).collect()
}

/// The stored values that a transaction builds on.
#[derive(Default)]
struct Stored {
    /// Fences by table and id.
    fences: HashMap<String, HashMap<String, i64>>,
    /// By the unit's index: the rows that have a value which must be absent.
    taken: HashMap<usize, Vec<Id>>,
    /// The rows that must live and do, by table.
    live: HashMap<String, HashSet<Id>>,
    /// The last number of each partition.
    partitions: HashMap<i64, i64>,
    /// The last number of the whole log.
    head: i64,
}

/// Values that must be absent, by table and column, each with the index of its unit.
type Wanted<'a> = BTreeMap<(&'a str, &'a str), (&'a Table, Vec<(usize, &'a UniqueCheck)>)>;

/// The queries of one statement, each with its parameter and a name.
#[derive(Default)]
struct Reading {
    parts: Vec<(String, String)>,
    sql: Sql,
}

impl Reading {
    fn ask(
        &mut self,
        name: String,
        query: impl FnOnce(usize) -> String,
        parameter: &impl Serialize,
    ) -> Result<(), StoreError> {
        self.parts.push((name, query(self.parts.len() + 1)));
        self.sql = std::mem::take(&mut self.sql).with(serde_json::to_string(parameter)?);
        Ok(())
    }

    /// `by_value`: the query looks for values, not only for keys.
    async fn read(
        self,
        tx: &mut Tx,
        dialect: Dialect,
        by_value: bool,
    ) -> Result<HashMap<String, Box<RawValue>>, StoreError> {
        let sql = self.sql.wrapped(|_| dialect.object(&self.parts));
        let answer = if by_value { tx.text_planned_anew(&sql).await? } else { tx.text(&sql).await? };
        Ok(serde_json::from_str(&answer.unwrap_or_default())?)
    }
}

/// Reads every fence, the rows that have a value which must be absent, and the partitions that will get events.
/// PostgreSQL locks the fences' rows in the order of tables and keys, then the partitions, and the head of the log last, so
/// that two nodes do not deadlock. From there to its end a commit with events is alone: so numbers of the log are in the
/// order of commits.
async fn read(tx: &mut Tx, dialect: Dialect, units: &[UnitOfWork]) -> Result<Stored, StoreError> {
    let mut rows: BTreeMap<&str, (&Table, Vec<String>)> = BTreeMap::new();
    for write in units.iter().flat_map(|unit| &unit.writes).filter(|write| write.expects.is_some()) {
        rows.entry(write.table.name).or_insert((write.table, Vec::new())).1.push(write.id.clone());
    }
    let mut live: BTreeMap<&str, (&Table, Vec<Id>)> = BTreeMap::new();
    for check in units.iter().flat_map(|unit| &unit.live_checks) {
        live.entry(check.table.name).or_insert((check.table, Vec::new())).1.push(check.id);
        // Locked in their turn.
        rows.entry(check.table.name).or_insert((check.table, Vec::new())).1.push(check.id.to_string());
    }
    let mut values: Wanted = BTreeMap::new();
    for (place, absent) in
        units.iter().enumerate().flat_map(|(n, unit)| unit.unique_checks.iter().map(move |a| (n, a)))
    {
        let of = values.entry((absent.table.name, absent.column)).or_insert((absent.table, Vec::new()));
        of.1.push((place, absent));
    }
    let partitions: BTreeSet<i64> =
        units.iter().flat_map(|unit| &unit.events).map(Event::partition).collect();
    let mut reading = Reading::default();
    for (table, ids) in rows.values() {
        reading.ask(table.name.to_owned(), |place| table.fences(dialect, place), ids)?;
    }
    for (name, (table, ids)) in &live {
        reading.ask(live_rows(name), |place| table.live(dialect, place), ids)?;
    }
    for ((name, column), (table, wanted)) in &values {
        let wanted: Vec<_> = wanted.iter().map(|(_, absent)| absent).collect();
        reading.ask(format!("{name}.{column}"), |place| table.holders(dialect, column, place), &wanted)?;
    }
    reading.ask(PARTITIONS.name.to_owned(), |place| PARTITIONS.fences(dialect, place), &partitions)?;
    if !partitions.is_empty() {
        reading.ask(LOG_HEAD.name.to_owned(), |place| LOG_HEAD.fences(dialect, place), &[LOG_HEAD_ID])?;
    }
    let mut answers = reading.read(tx, dialect, !values.is_empty()).await?;
    let mut stored = Stored::default();
    if let Some(found) = answers.remove(LOG_HEAD.name) {
        let rows: Vec<(i64, i64)> = serde_json::from_str(found.get())?;
        let head = rows.first().ok_or_else(|| StoreError::Failed("the log has no head".into()))?;
        stored.head = head.1;
    }
    if let Some(found) = answers.remove(PARTITIONS.name) {
        stored.partitions = serde_json::from_str::<Vec<(i64, i64)>>(found.get())?.into_iter().collect();
    }
    for ((name, column), (_, wanted)) in &values {
        let Some(found) = answers.remove(&format!("{name}.{column}")) else { continue };
        for (n, ids) in serde_json::from_str::<Vec<(usize, Vec<Id>)>>(found.get())? {
            stored.taken.entry(wanted[n].0).or_default().extend(ids);
        }
    }
    for name in live.keys() {
        let Some(found) = answers.remove(&live_rows(name)) else { continue };
        stored.live.insert((*name).to_owned(), serde_json::from_str(found.get())?);
    }
    for (table, found) in answers {
        let fences = serde_json::from_str::<Vec<(String, i64)>>(found.get())?.into_iter().collect();
        stored.fences.insert(table, fences);
    }
    Ok(stored)
}

/// The name of the query for the live rows of a table.
fn live_rows(table: &str) -> String {
    format!("{table}+")
}

/// Rejects the unit at `place` if a stored row is not the one it builds on, if a value is taken, or if a row is
/// missing that must live.
fn check(place: usize, unit: &UnitOfWork, stored: &Stored) -> Outcome {
    for write in &unit.writes {
        let Some(expects) = write.expects else { continue };
        let found =
            stored.fences.get(write.table.name).and_then(|rows| rows.get(&write.id)).copied().unwrap_or(0);
        if found != expects && !mutant("no-version-fence") {
            return Err(CommitError::Stale(write.table.name));
        }
    }
    let lives =
        |check: &&LiveCheck| stored.live.get(check.table.name).is_some_and(|ids| ids.contains(&check.id));
    if let Some(missing) = unit.live_checks.iter().find(|check| !lives(check))
        && !mutant("no-live-check")
    {
        return Err(CommitError::Conflict { code: missing.code, ids: Vec::new() });
    }
    match stored.taken.get(&place) {
        Some(ids) if !ids.is_empty() && !mutant("no-unique-check") => {
            Err(CommitError::Conflict { code: unit.unique_checks[0].code, ids: ids.clone() })
        }
        _ => Ok(Vec::new()),
    }
}

/// Gives each event of the remaining units the next number of its partition and of the log.
fn place_events(
    units: &[UnitOfWork],
    outcomes: &mut [Outcome],
    stored: &mut Stored,
) -> Result<(), StoreError> {
    for (unit, outcome) in units.iter().zip(outcomes) {
        let Ok(placed) = outcome else { continue };
        for event in &unit.events {
            let partition = event.partition();
            let last = stored
                .partitions
                .get_mut(&partition)
                .ok_or_else(|| StoreError::Failed(format!("no partition {partition}")))?;
            *last += 1;
            stored.head += 1;
            let (partition_seq, log_seq, event) = (*last, Some(stored.head), event.clone());
            placed.push(Arc::new(LoggedEvent { partition, partition_seq, log_seq, event }));
        }
    }
    Ok(())
}

/// What writes the rows, deletions, events and partitions of the remaining units, and of how many statements it is made.
fn writes(dialect: Dialect, units: &[UnitOfWork], outcomes: &[Outcome]) -> Result<(Sql, usize), StoreError> {
    let mut puts: BTreeMap<&str, (&Table, Vec<Cow<str>>)> = BTreeMap::new();
    let mut deletes: BTreeMap<&str, (&Table, Vec<&str>)> = BTreeMap::new();
    let mut partitions: BTreeMap<i64, i64> = BTreeMap::new();
    let kept = || units.iter().zip(outcomes).filter_map(|(unit, done)| Some((unit, done.as_ref().ok()?)));
    // Rows without a fence are locked here, in the order of ids, so that two nodes do not deadlock.
    let mut writes: Vec<_> = kept().flat_map(|(unit, _)| &unit.writes).collect();
    writes.sort_by_key(|write| &write.id);
    for write in writes {
        let (table, name) = (write.table, write.table.name);
        match &write.change {
            Change::Put(row) => puts.entry(name).or_insert((table, Vec::new())).1.push(row.into()),
            Change::Check => {}
            Change::Delete => deletes.entry(name).or_insert((table, Vec::new())).1.push(&write.id),
        }
    }
    for event in kept().flat_map(|(_, events)| events) {
        let row = serde_json::to_string(&EventRecord::from(&**event))?;
        puts.entry(EVENTS.name).or_insert((&EVENTS, Vec::new())).1.push(row.into());
        partitions.insert(event.partition, event.partition_seq);
    }
    let head = kept().filter_map(|(_, events)| events.last()?.log_seq).max();
    if let Some(head) = head {
        let row = format!(r#"{{"id":{LOG_HEAD_ID},"last_seq":{head}}}"#);
        puts.entry(LOG_HEAD.name).or_insert((&LOG_HEAD, Vec::new())).1.push(row.into());
    }
    for (partition, last) in partitions {
        let row = format!(r#"{{"slice":{partition},"last_seq":{last}}}"#);
        puts.entry(PARTITIONS.name).or_insert((&PARTITIONS, Vec::new())).1.push(row.into());
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
    Ok((sql.wrapped(|_| dialect.together(&statements)), statements.len()))
}
