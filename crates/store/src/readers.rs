//! The connections that read a SQLite file beside its writer.
//!
//! This replaces sqlx's pool, which tests each returned connection by a message to its thread; that costs as much as
//! most queries. A file does not go away, and a connection whose query was cut off is not kept.

use std::sync::{Arc, Mutex};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::StoreError;
use crate::settings::LOCK_TIMEOUT;

/// A bounded set of connections, opened when first needed.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    pub fn new(options: SqliteConnectOptions, count: u32) -> Self {
        let places = Arc::new(Semaphore::new(count as usize));
        Self(Arc::new(Inner { options, places, idle: Mutex::default() }))
    }

    /// Lends a connection; give it back with [`Lent::done`] when the query has succeeded.
    ///
    /// # Errors
    /// `Unavailable` when no connection becomes free in time, or all are closed.
    pub async fn lend(&self) -> Result<Lent, StoreError> {
        let place = tokio::time::timeout(LOCK_TIMEOUT, self.0.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| StoreError::Unavailable("no reader came free".into()))?;
        let place = place.map_err(|_| StoreError::Unavailable("the database is closed".into()))?;
        let rested = self.0.idle.lock().expect("no panic under this lock").pop();
        let connection = match rested {
            Some(connection) => connection,
            None => self.0.options.connect().await?,
        };
        Ok(Lent { connection, readers: self.clone(), _place: place })
    }

    /// Closes idle connections; a lent one is closed when it is returned.
    pub async fn close(&self) {
        self.0.places.close();
        let idle = std::mem::take(&mut *self.0.idle.lock().expect("no panic under this lock"));
        for connection in idle {
            // It was only read from: nothing is lost.
            let _ = connection.close().await;
        }
    }
}

/// A lent connection.
pub(crate) struct Lent {
    pub connection: SqliteConnection,
    readers: Readers,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    /// Gives the connection back: its query has succeeded. A connection that failed is closed.
    pub fn done(self) {
        if !self.readers.0.places.is_closed() {
            self.readers.0.idle.lock().expect("no panic under this lock").push(self.connection);
        }
    }
}
