//! Checkpoints of SQLite's write-ahead log, beside the writer.
//!
//! By itself SQLite makes a checkpoint within a commit: once in a while one would wait until some 16 MB are in the main file
//! and the disk has them, and all that queue behind it. Here another connection copies most of the log while commits go on,
//! and holds them up only for the few pages that came meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

/// The rows after which the log is copied. A row costs a page of 4 KiB or a little less, so these are some 16 MB; a checkpoint
/// writes each page once, however often the log has it.
pub(crate) const ROWS: u64 = 5_000;

/// The task that makes the checkpoints of a file.
pub(crate) struct Checkpoints {
    signal: Arc<Signal>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Signal {
    committed: Notify,
    /// Rows written since the last checkpoint.
    rows: AtomicU64,
    is_over: AtomicBool,
}

impl Checkpoints {
    /// Starts the task. `writer`: the place of whoever writes. Call on the long-lived runtime.
    pub fn start(options: SqliteConnectOptions, writer: Arc<Semaphore>) -> Self {
        let signal = Arc::new(Signal::default());
        let task = tokio::spawn(run(signal.clone(), options, writer));
        Self { signal, task }
    }

    /// Says that a transaction was committed that wrote so many rows.
    pub fn committed(&self, rows: u64) {
        if self.signal.rows.fetch_add(rows, Ordering::Relaxed) + rows >= ROWS {
            self.signal.committed.notify_one();
        }
    }

    /// Ends the task, after the checkpoint that is under way.
    pub async fn end(mut self) {
        self.signal.end();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Checkpoints {
    /// A writer that is dropped without being closed leaves no task and no connection behind.
    fn drop(&mut self) {
        self.signal.end();
    }
}

impl Signal {
    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.committed.notify_one();
    }
}

async fn run(signal: Arc<Signal>, options: SqliteConnectOptions, writer: Arc<Semaphore>) {
    let mut connection = None;
    loop {
        signal.committed.notified().await;
        if signal.is_over.load(Ordering::Relaxed) {
            break;
        }
        signal.rows.store(0, Ordering::Relaxed);
        if let Err(error) = checkpoint(&mut connection, &options, &writer).await {
            // As with a full disk: the log goes on growing, and the next checkpoint is made by another connection.
            tracing::debug!(%error, "no checkpoint");
            connection = None;
        }
    }
    if let Some(connection) = connection {
        let _ = SqliteConnection::close(connection).await;
    }
}

/// Copies the log to the main file. Then the next commit begins the log anew, unless somebody is reading it.
async fn checkpoint(
    connection: &mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
    writer: &Semaphore,
) -> Result<(), sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(options.connect().await?),
    };
    copy_log(connection).await?;
    // There is little left to copy, and nobody may add to it. All is closed if there is no place any more. Not RESTART:
    // it would wait for readers, and keep the writer waiting with it.
    if let Ok(_alone) = writer.acquire().await {
        copy_log(connection).await?;
    }
    Ok(())
}

async fn copy_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(connection).await.map(drop)
}
