//! So much of PostgreSQL's SQL as the store writes. The tests of the package carry out the same statements on a real
//! server, too.
//!
//! - `lexer`, `parser`: from a text to a tree ([`ast`]); [`value`]: what a column holds
//! - `expressions`: what an expression is worth; `queries`: the rows of a query; `changes`: what a statement changes
//! - [`Access`]: the tables, as one transaction sees them

pub mod ast;
mod changes;
mod expressions;
mod lexer;
pub mod parser;
mod queries;
pub mod value;

use std::sync::Arc;

pub use changes::run;
pub use queries::first_text;

use crate::sql::value::{Key, Value};

/// The values of a row, in the order of its table's columns.
pub type Row = Arc<[Value]>;

/// Why a statement does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Another transaction holds the lock of a row: run the statement again after its end.
    Blocked,
    /// A unique index has such a value.
    Duplicate(String),
    /// The statement is wrong, or none that is known here.
    Failed(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// The tables, as one transaction sees them.
pub trait Access {
    /// The place of a table, and its columns, the primary key first.
    fn table(&self, name: &str) -> Option<(usize, Arc<[String]>)>;
    /// A row, as it was when the statement began.
    fn row(&self, table: usize, key: &Key) -> Option<Row>;
    /// All rows in the order of their keys, as they were when the statement began.
    fn rows(&self, table: usize) -> Vec<(Key, Row)>;
    /// Locks a row until the end of the transaction; returns it as it is now.
    ///
    /// # Errors
    /// `Blocked`.
    fn lock(&mut self, table: usize, key: &Key) -> Result<Option<Row>, Stop>;
    /// Writes or deletes a row, which is locked.
    fn put(&mut self, table: usize, key: Key, row: Option<Row>);
    /// The server's time at the begin of the transaction, in microseconds since 1970.
    fn now(&self) -> i64;
}
