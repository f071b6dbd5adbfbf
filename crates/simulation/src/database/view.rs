//! The tables as a transaction sees them: what was committed, and what it has changed itself.

use std::sync::Arc;

use crate::database::server::{Rows, State, TransactionId};
use crate::sql::value::Key;
use crate::sql::{Access, Row, Stop};
use crate::time;

/// What a statement sees.
pub(super) struct View<'a> {
    pub state: &'a mut State,
    /// `None`: a query by itself.
    pub transaction: Option<TransactionId>,
    /// The tables when the statement began, if it had to wait since.
    pub snapshot: Option<&'a [Rows]>,
}

impl View<'_> {
    fn committed(&self, table: usize) -> &Rows {
        self.snapshot.map_or(&self.state.tables[table].rows, |snapshot| &snapshot[table])
    }

    /// What the transaction itself has made of a row.
    fn own(&self, table: usize, key: &Key) -> Option<&Option<Row>> {
        self.state.open.get(&self.transaction?)?.changes.get(&(table, key.clone()))
    }
}

impl Access for View<'_> {
    fn table(&self, name: &str) -> Option<(usize, Arc<[String]>)> {
        let place = self.state.place(name)?;
        Some((place, self.state.tables[place].columns.clone()))
    }

    fn row(&self, table: usize, key: &Key) -> Option<Row> {
        match self.own(table, key) {
            Some(own) => own.clone(),
            None => self.committed(table).get(key).cloned(),
        }
    }

    fn rows(&self, table: usize) -> Vec<(Key, Row)> {
        let committed = self.committed(table);
        let own =
            self.transaction.and_then(|id| self.state.open.get(&id)).filter(|open| !open.changes.is_empty());
        let Some(own) = own else {
            return committed.iter().map(|(key, row)| (key.clone(), row.clone())).collect();
        };
        let mut rows = (**committed).clone();
        for ((_, key), row) in own.changes.iter().filter(|((of, _), _)| *of == table) {
            match row {
                Some(row) => rows.insert(key.clone(), row.clone()),
                None => rows.remove(key),
            };
        }
        rows.into_iter().collect()
    }

    fn lock(&mut self, table: usize, key: &Key) -> Result<Option<Row>, Stop> {
        let Some(id) = self.transaction else {
            return Err(Stop::Failed("a lock outside of a transaction".to_owned()));
        };
        let owner = *self.state.locks.entry((table, key.clone())).or_insert(id);
        if owner != id {
            return Err(Stop::Blocked);
        }
        Ok(match self.own(table, key) {
            Some(own) => own.clone(),
            None => self.state.tables[table].rows.get(key).cloned(),
        })
    }

    fn put(&mut self, table: usize, key: Key, row: Option<Row>) {
        if let Some(open) = self.transaction.and_then(|id| self.state.open.get_mut(&id)) {
            open.changes.insert((table, key), row);
        }
    }

    fn now(&self) -> i64 {
        let open = self.transaction.and_then(|id| self.state.open.get(&id));
        open.map_or_else(time::now, |open| open.begun)
    }
}
