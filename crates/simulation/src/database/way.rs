//! A node's way to the database. On it statements are delayed, and connections break: before a statement, or after it has
//! taken effect.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use store::StoreError;
use store::simulated::{Database, Statement, Transaction};
use tokio::time::{sleep, timeout};

use crate::chance;
use crate::database::server::{Rows, Server, TransactionId, parsed};
use crate::database::view::View;
use crate::process::Process;
use crate::sql::ast::Statement as Tree;
use crate::sql::value::Value;
use crate::sql::{Stop, first_text, run};
use crate::weather::Weather;

/// How long a statement waits for the lock of a row.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A node's way to the server; clones are the same one.
#[derive(Clone)]
pub struct Way {
    server: Server,
    process: Process,
    /// Tells the ways apart.
    number: u64,
    weather: Weather,
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

impl Way {
    pub fn new(server: Server, process: Process, number: u64, weather: Weather) -> Self {
        Self { server, process, number, weather }
    }

    /// A statement goes to the server; returns how often that has been away.
    async fn there(&self) -> Result<u64, StoreError> {
        self.process.awake().await;
        let delay = self.weather.database_delay();
        if delay.is_zero() {
            tokio::task::yield_now().await
        } else {
            sleep(delay).await
        }
        self.process.awake().await;
        let (answers, outages) = {
            let mut state = self.server.state();
            state.came();
            state.presence()
        };
        if !answers {
            return Err(unavailable("PostgreSQL does not answer"));
        }
        if chance::happens(self.weather.get().lost_statements) {
            return Err(unavailable("the connection broke before the statement"));
        }
        Ok(outages)
    }

    /// An answer comes back, unless the connection has broken.
    async fn back(&self, outages: u64) -> Result<(), StoreError> {
        self.process.awake().await;
        if self.server.state().presence() != (true, outages)
            || chance::happens(self.weather.get().lost_answers)
        {
            return Err(unavailable("the connection broke before the answer"));
        }
        Ok(())
    }

    /// Runs a statement until it need not wait for a lock.
    async fn run(
        &self,
        transaction: Option<TransactionId>,
        statement: Statement<'_>,
    ) -> Result<Answer, StoreError> {
        let tree = parsed(statement.text).map_err(failed)?;
        let places: Vec<Value> = statement.values.iter().map(Value::from).collect();
        let mut snapshot: Option<Vec<Rows>> = None;
        let waited = async {
            loop {
                let ended = self.server.until_one_ends();
                match self.try_once(transaction, snapshot.as_deref(), &tree, &places) {
                    Err(Stop::Blocked) => {}
                    done => return done.map_err(failed),
                }
                if snapshot.is_none() {
                    let state = self.server.state();
                    snapshot = Some(state.tables.iter().map(|table| table.rows.clone()).collect());
                }
                ended.await;
                self.process.awake().await;
            }
        };
        timeout(LOCK_TIMEOUT, waited).await.unwrap_or_else(|_| Err(unavailable("a lock did not come free")))
    }

    fn try_once(
        &self,
        transaction: Option<TransactionId>,
        snapshot: Option<&[Rows]>,
        tree: &Tree,
        places: &[Value],
    ) -> Result<Answer, Stop> {
        let mut state = self.server.state();
        if transaction.is_some_and(|id| !state.open.contains_key(&id)) {
            return Ok(Answer::CutOff);
        }
        if state.is_full() && !matches!(tree, Tree::Select(_)) {
            return Ok(Answer::Full);
        }
        let mut view = View { state: &mut state, transaction, snapshot };
        Ok(match tree {
            Tree::Select(query) => {
                let text = first_text(&mut view, query, places)?;
                state.goes(text.as_ref().map_or(0, String::len));
                Answer::Text(text)
            }
            other => {
                let touched = run(&mut view, other, places)?;
                if let Some(id) = transaction {
                    state.check_unique(id)?;
                }
                Answer::Touched(touched)
            }
        })
    }
}

/// What the server answers to a statement.
enum Answer {
    Text(Option<String>),
    Touched(u64),
    /// The transaction was rolled back before.
    CutOff,
    Full,
}

impl Answer {
    fn text(self) -> Result<Option<String>, StoreError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Touched(_) => Err(StoreError::Failed("a query was expected".to_owned())),
            Self::CutOff => Err(unavailable("the transaction was cut off")),
            Self::Full => Err(unavailable("the disk is full")),
        }
    }

    fn touched(self) -> Result<u64, StoreError> {
        match self {
            Self::Touched(touched) => Ok(touched),
            Self::Text(_) => Ok(0),
            other => other.text().map(|_| 0),
        }
    }
}

fn failed(stop: Stop) -> StoreError {
    match stop {
        Stop::Blocked => unavailable("a lock did not come free"),
        Stop::Duplicate(index) => StoreError::Duplicate(index),
        Stop::Failed(why) => StoreError::Failed(why),
    }
}

impl Database for Way {
    fn text<'a>(&'a self, query: Statement<'a>) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move {
            let outages = self.there().await?;
            let answer = self.run(None, query).await?;
            self.back(outages).await?;
            answer.text()
        })
    }

    fn begin<'a>(
        &'a self,
        locks: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async move {
            let outages = self.there().await?;
            let id = self.server.state().begin(self.number);
            let open = OpenTransaction { way: self.clone(), id, outages };
            let taken = async {
                loop {
                    let ended = self.server.until_one_ends();
                    if self.server.state().take_locks(id, locks) {
                        return;
                    }
                    ended.await;
                }
            };
            let late = |_| unavailable("a lock did not come free");
            timeout(LOCK_TIMEOUT, taken).await.map_err(late)?;
            self.back(outages).await?;
            Ok(Box::new(open) as Box<dyn Transaction>)
        })
    }
}

struct OpenTransaction {
    way: Way,
    id: TransactionId,
    outages: u64,
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        self.way.server.roll_back(self.id);
    }
}

impl OpenTransaction {
    async fn run(&self, statement: Statement<'_>) -> Result<Answer, StoreError> {
        self.way.there().await?;
        let answer = self.way.run(Some(self.id), statement).await?;
        self.way.back(self.outages).await?;
        Ok(answer)
    }
}

impl Transaction for OpenTransaction {
    fn text<'a>(&'a mut self, query: Statement<'a>) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        Box::pin(async move { self.run(query).await?.text() })
    }

    fn execute<'a>(&'a mut self, statement: Statement<'a>) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move { self.run(statement).await?.touched() })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            self.way.there().await?;
            if !self.way.server.commit(self.id) {
                return Err(unavailable("the transaction was cut off"));
            }
            self.way.back(self.outages).await
        })
    }
}

/// A way for a `Db`.
pub fn database(way: Way) -> Arc<dyn Database> {
    Arc::new(way)
}
