//! The tables, and the transactions that are open on them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::sql::ast::Statement;
use crate::sql::parser::parse;
use crate::sql::value::{Key, Value};
use crate::sql::{Row, Stop};
use crate::time;

/// A table: the names of its columns, the primary key first, and the columns of its other unique indexes.
#[derive(Clone, Debug)]
pub struct TableSpec {
    pub name: &'static str,
    pub columns: Vec<&'static str>,
    pub unique: Vec<Vec<&'static str>>,
}

pub(super) type Rows = Arc<BTreeMap<Key, Row>>;

pub(super) struct Table {
    pub name: &'static str,
    pub columns: Arc<[String]>,
    unique: Vec<Vec<usize>>,
    pub rows: Rows,
}

/// A row that a commit changes.
#[derive(Clone, Debug)]
pub struct Changed {
    pub table: &'static str,
    pub key: Key,
    pub before: Option<Row>,
    pub after: Option<Row>,
}

/// Looks at each commit, when it has taken effect.
pub type Observer = Box<dyn FnMut(&[Changed]) + Send>;

pub(super) type TransactionId = u64;

/// An open transaction.
pub(super) struct Open {
    /// The way that it came by.
    way: u64,
    pub begun: i64,
    pub changes: BTreeMap<(usize, Key), Option<Row>>,
}

/// The server; clones are the same one.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// A transaction has ended.
    ended: Notify,
}

pub(super) struct State {
    pub tables: Vec<Table>,
    names: HashMap<&'static str, usize>,
    pub locks: HashMap<(usize, Key), TransactionId>,
    advisory: HashMap<String, TransactionId>,
    pub open: BTreeMap<TransactionId, Open>,
    next: TransactionId,
    observer: Option<Observer>,
    /// Whether it answers.
    is_away: bool,
    /// How often it has been away: a connection of before is dead.
    outages: u64,
    is_full: bool,
    /// Statements, begins and commits that have come, and bytes of what was answered.
    traffic: Traffic,
}

/// What a server has received and sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// Commands and statements that have come.
    pub requests: u64,
    /// Bytes of their answers.
    pub sent: u64,
}

thread_local! {
    /// Statements that were read before, in any world.
    static PARSED: RefCell<HashMap<String, Arc<Statement>>> = RefCell::default();
}

/// The tree of a statement.
pub(super) fn parsed(text: &str) -> Result<Arc<Statement>, Stop> {
    if let Some(known) = PARSED.with_borrow(|parsed| parsed.get(text).cloned()) {
        return Ok(known);
    }
    let statement = Arc::new(parse(text).map_err(|why| Stop::Failed(format!("{why} in {text}")))?);
    PARSED.with_borrow_mut(|parsed| parsed.insert(text.to_owned(), statement.clone()));
    Ok(statement)
}

impl Server {
    /// A server with these tables, which are empty.
    pub fn new(tables: &[TableSpec]) -> Self {
        let table = |spec: &TableSpec| {
            let place = |column: &&str| {
                spec.columns
                    .iter()
                    .position(|known| known == column)
                    .expect("a unique index of known columns")
            };
            Table {
                name: spec.name,
                columns: spec.columns.iter().map(|name| (*name).to_owned()).collect(),
                unique: spec.unique.iter().map(|columns| columns.iter().map(place).collect()).collect(),
                rows: Rows::default(),
            }
        };
        let state = State {
            tables: tables.iter().map(table).collect(),
            names: tables.iter().enumerate().map(|(place, spec)| (spec.name, place)).collect(),
            locks: HashMap::new(),
            advisory: HashMap::new(),
            open: BTreeMap::new(),
            next: 0,
            observer: None,
            is_away: false,
            outages: 0,
            is_full: false,
            traffic: Traffic::default(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), ended: Notify::new() }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic under this lock")
    }

    /// Puts a row into a table, as a migration does.
    pub fn insert(&self, table: &str, row: Vec<Value>) {
        let mut state = self.state();
        let place = state.names[table];
        let key = row[0].key().expect("a key");
        Arc::make_mut(&mut state.tables[place].rows).insert(key, row.into());
    }

    /// The committed rows of a table, in the order of their keys, with the names of their columns.
    pub fn rows(&self, table: &str) -> (Arc<[String]>, Vec<Row>) {
        let state = self.state();
        let table = &state.tables[state.names[table]];
        (table.columns.clone(), table.rows.values().cloned().collect())
    }

    /// Has every commit from now on looked at.
    pub fn observe(&self, observer: Observer) {
        self.state().observer = Some(observer);
    }

    /// The server stops answering, or another takes over: open transactions are rolled back.
    pub fn set_away(&self, is_away: bool) {
        let mut state = self.state();
        state.is_away = is_away;
        if is_away {
            state.outages += 1;
            let open: Vec<TransactionId> = state.open.keys().copied().collect();
            open.into_iter().for_each(|id| state.end(id));
        }
        drop(state);
        self.0.ended.notify_waiters();
    }

    /// What came and went until now.
    pub fn traffic(&self) -> Traffic {
        self.state().traffic
    }

    /// The disk is full, or no longer.
    pub fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// Rolls back what came by this way: its process has died, or has hung for too long.
    pub fn cut_off(&self, way: u64) {
        let mut state = self.state();
        let of_way = state.open.iter().filter(|(_, open)| open.way == way);
        let ids: Vec<TransactionId> = of_way.map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| state.end(id));
        drop(state);
        self.0.ended.notify_waiters();
    }

    /// Waits for the end of a transaction.
    pub(super) async fn until_one_ends(&self) {
        self.0.ended.notified().await;
    }

    pub(super) fn roll_back(&self, id: TransactionId) {
        self.state().end(id);
        self.0.ended.notify_waiters();
    }

    /// Commits; false if the transaction was rolled back before.
    pub(super) fn commit(&self, id: TransactionId) -> bool {
        let mut state = self.state();
        let Some(open) = state.open.remove(&id) else { return false };
        let mut changed = Vec::with_capacity(open.changes.len());
        for ((place, key), after) in open.changes {
            let table = &mut state.tables[place];
            let rows = Arc::make_mut(&mut table.rows);
            let before = match &after {
                Some(row) => rows.insert(key.clone(), row.clone()),
                None => rows.remove(&key),
            };
            changed.push(Changed { table: table.name, key, before, after });
        }
        state.end(id);
        let observer = state.observer.take();
        drop(state);
        // It may look at the tables.
        if let Some(mut observer) = observer {
            observer(&changed);
            self.state().observer = Some(observer);
        }
        self.0.ended.notify_waiters();
        true
    }
}

impl State {
    pub fn place(&self, table: &str) -> Option<usize> {
        self.names.get(table).copied()
    }

    /// Whether the server answers, and how often it has been away.
    pub fn presence(&self) -> (bool, u64) {
        (!self.is_away, self.outages)
    }

    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// A request has come.
    pub fn came(&mut self) {
        self.traffic.requests += 1;
    }

    /// So many bytes go back.
    pub fn goes(&mut self, bytes: usize) {
        self.traffic.sent += bytes as u64;
    }

    /// Begins a transaction.
    pub fn begin(&mut self, way: u64) -> TransactionId {
        self.next += 1;
        self.open.insert(self.next, Open { way, begun: time::now(), changes: BTreeMap::new() });
        self.next
    }

    /// Takes the advisory locks; false if one is taken.
    pub fn take_locks(&mut self, id: TransactionId, locks: &BTreeSet<String>) -> bool {
        for lock in locks {
            if *self.advisory.entry(lock.clone()).or_insert(id) != id {
                return false;
            }
        }
        true
    }

    /// Ends a transaction without its changes.
    fn end(&mut self, id: TransactionId) {
        self.open.remove(&id);
        self.locks.retain(|_, owner| *owner != id);
        self.advisory.retain(|_, owner| *owner != id);
    }

    /// Whether the changes of a transaction break a unique index.
    pub fn check_unique(&self, id: TransactionId) -> Result<(), Stop> {
        let Some(open) = self.open.get(&id) else { return Ok(()) };
        for ((place, key), row) in &open.changes {
            let (table, Some(row)) = (&self.tables[*place], row) else { continue };
            for columns in &table.unique {
                let is_same = |other: &Row| columns.iter().all(|column| other[*column] == row[*column]);
                let is_null = columns.iter().any(|column| row[*column] == Value::Null);
                let theirs = table.rows.iter().any(|(other, row)| {
                    other != key && !open.changes.contains_key(&(*place, other.clone())) && is_same(row)
                });
                let own = open.changes.iter().any(|((of, other), row)| {
                    of == place && other != key && row.as_ref().is_some_and(is_same)
                });
                if !is_null && (theirs || own) {
                    return Err(Stop::Duplicate(format!("{}_{}", table.name, table.columns[columns[0]])));
                }
            }
        }
        Ok(())
    }
}
