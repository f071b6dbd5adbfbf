//! A database and a Redis in the place of the real ones, for the deterministic simulation, which makes them. The database
//! takes the SQL that is written for PostgreSQL.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use redis::{Cmd, Pipeline, RedisFuture, Value};

use crate::error::StoreError;
use crate::sql::{Arg, Sql};

/// A statement: its text, and the values of its places.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    pub text: &'a str,
    pub values: &'a [Arg],
}

impl<'a> From<&'a Sql> for Statement<'a> {
    fn from(sql: &'a Sql) -> Self {
        Self { text: sql.text(), values: sql.values() }
    }
}

/// A node's way to the simulated database.
pub trait Database: Send + Sync {
    /// The first column of the first row of a query.
    fn text<'a>(&'a self, query: Statement<'a>) -> BoxFuture<'a, Result<Option<String>, StoreError>>;

    /// Begins a transaction that holds a lock for each of `locks` to its end.
    fn begin<'a>(
        &'a self,
        locks: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Box<dyn Transaction>, StoreError>>;
}

/// An open transaction, which is rolled back if it is dropped before its commit.
pub trait Transaction: Send {
    /// The first column of the first row of a query.
    fn text<'a>(&'a mut self, query: Statement<'a>) -> BoxFuture<'a, Result<Option<String>, StoreError>>;

    /// Runs a statement; returns how many rows it touched.
    fn execute<'a>(&'a mut self, statement: Statement<'a>) -> BoxFuture<'a, Result<u64, StoreError>>;

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// A node's way to a simulated Redis.
pub trait Redis: Send + Sync {
    /// The answer to a command.
    fn command<'a>(&'a self, command: &'a Cmd) -> RedisFuture<'a, Value>;

    /// The answers to the commands of a pipeline; of a transaction one, which holds them.
    fn pipeline<'a>(&'a self, pipeline: &'a Pipeline) -> RedisFuture<'a, Vec<Value>>;
}
