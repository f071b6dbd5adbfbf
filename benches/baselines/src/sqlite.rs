//! What SQLite can do when every write is a commit of its own: the rows that creating a customer stores, a customer
//! of about 300 bytes and an event of about 700, with nothing above them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, Statement, params};
use uuid::Uuid;

use crate::samples::Samples;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE customers (id TEXT PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE events (seq INTEGER PRIMARY KEY, customer_id TEXT NOT NULL, body TEXT NOT NULL);";

/// Body sizes that bring the rows, ids included, to 300 and 700 bytes.
const CUSTOMER_BODY: usize = 264;
const EVENT_BODY: usize = 664;

const WARM_UP: Duration = Duration::from_secs(1);

/// The prepared statements of one write.
struct Write<'connection> {
    begin: Statement<'connection>,
    customer: Statement<'connection>,
    event: Statement<'connection>,
    commit: Statement<'connection>,
    customer_body: String,
    event_body: String,
}

impl<'connection> Write<'connection> {
    fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            customer: connection.prepare("INSERT INTO customers (id, body) VALUES (?1, ?2)")?,
            event: connection.prepare("INSERT INTO events (customer_id, body) VALUES (?1, ?2)")?,
            commit: connection.prepare("COMMIT")?,
            customer_body: "c".repeat(CUSTOMER_BODY),
            event_body: "e".repeat(EVENT_BODY),
        })
    }

    fn run(&mut self) -> rusqlite::Result<()> {
        let id = Uuid::now_v7().to_string();
        self.begin.execute([])?;
        self.customer.execute(params![id, self.customer_body])?;
        self.event.execute(params![id, self.event_body])?;
        self.commit.execute([])?;
        Ok(())
    }
}

/// Writes into a new database in `dir` for `length`, one write a commit.
pub fn measure(dir: &Path, length: Duration) -> Result<String> {
    let connection = Connection::open(dir.join("baseline.db"))?;
    connection.execute_batch(SCHEMA)?;
    let mut write = Write::prepare(&connection)?;

    Samples::collect(Instant::now() + WARM_UP, || write.run())?;
    let started = Instant::now();
    let samples = Samples::collect(started + length, || write.run())?;
    Ok(samples.report(started.elapsed()))
}
