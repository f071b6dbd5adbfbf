//! Whether this node may take requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::error::Error;
use store::Db;

/// What `/readyz` reads.
#[derive(Clone)]
pub struct Readiness {
    db: Db,
    is_stopping: Arc<AtomicBool>,
}

impl Readiness {
    /// The readiness of a node on this database.
    pub fn new(db: Db) -> Self {
        Self { db, is_stopping: Arc::default() }
    }

    /// Ends the readiness: the node is about to stop.
    pub fn end(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Checks that the node goes on, and that the database answers and takes writes.
    ///
    /// # Errors
    /// `unavailable`, whatever is wrong.
    pub async fn check(&self) -> Result<(), Error> {
        if self.is_stopping.load(Ordering::SeqCst) {
            return Err(Error::unavailable().with_cause("this node is about to stop"));
        }
        let checked = async {
            self.db.ping().await?;
            self.db.check_writes().await
        };
        checked.await.map_err(|error| Error::unavailable().with_cause(error))
    }
}
