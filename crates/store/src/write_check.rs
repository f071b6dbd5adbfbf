//! Whether the database takes writes: what `/readyz` says (SPEC §8.10).
//!
//! A check is a small transaction of its own. It is left out while other commits show the same, and at most one runs in
//! [`EVERY`], however often it is asked for. After a write has failed, the check writes as much as a large request does:
//! a disk that is full to the last page still takes a small row.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::db::{Db, StoreError};
use crate::sql::Sql;
use kernel::ids::new_id;

/// How long an answer holds.
const EVERY: Duration = Duration::from_secs(1);
/// How long a check may take.
const WITHIN: Duration = Duration::from_secs(5);
/// The rows that the processes of a cluster share: no process waits for the row of one that hangs, but by bad luck.
const ROWS: u128 = 1_024;
/// Bytes of a check after a failure: more than a request with the largest texts writes.
const LARGE: usize = 256 * 1_024;

/// What is known of the writer.
pub(crate) struct WriteCheck {
    /// The row that this process writes.
    row: i64,
    known: Mutex<Known>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// When a transaction was last committed.
    committed: Option<Instant>,
    /// A write has failed since the last check that succeeded.
    is_suspect: bool,
    /// The last check: when it ended, and what was wrong.
    checked: Option<(Instant, Option<String>)>,
}

impl Known {
    /// What was found out within [`EVERY`].
    fn recent(&self) -> Option<Result<(), StoreError>> {
        match &self.checked {
            Some((when, Some(why))) if when.elapsed() < EVERY => {
                Some(Err(StoreError::Unavailable(why.clone())))
            }
            _ if self.is_suspect => None,
            Some((when, None)) if when.elapsed() < EVERY => Some(Ok(())),
            _ => self.committed.filter(|when| when.elapsed() < EVERY).map(|_| Ok(())),
        }
    }
}

impl WriteCheck {
    pub fn new() -> Self {
        let row = (new_id().bits() % ROWS) as i64;
        Self { row, known: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// A transaction was committed.
    pub fn committed(&self) {
        self.known().committed = Some(Instant::now());
    }

    /// A transaction failed.
    pub fn failed(&self, error: &StoreError) {
        if matches!(error, StoreError::Unavailable(_)) {
            self.known().is_suspect = true;
        }
    }

    /// Checks that the database takes writes, unless that was found out a moment ago.
    ///
    /// # Errors
    /// `Unavailable` if it does not.
    pub async fn run(&self, db: &Db) -> Result<(), StoreError> {
        let late = |_| StoreError::Unavailable("a test of the writer takes too long".into());
        // Those who wait for their turn take the answer of the one before.
        let _turn = timeout(WITHIN, self.turn.lock()).await.map_err(late)?;
        let is_suspect = {
            let known = self.known();
            if let Some(recent) = known.recent() {
                return recent;
            }
            known.is_suspect
        };
        let (row, bytes) = (self.row, if is_suspect { LARGE } else { 0 });
        let writer = db.clone();
        let write = db.runtime().spawn(async move { write(&writer, row, bytes).await });
        let cut_off = |_| StoreError::Unavailable("a test of the writer was cut off".into());
        let done = timeout(WITHIN, write).await.map_err(late).and_then(|done| done.map_err(cut_off));
        let done = done.and_then(|done| done);
        self.record(&done);
        done
    }

    fn record(&self, done: &Result<(), StoreError>) {
        let why = done.as_ref().err().map(ToString::to_string);
        let mut known = self.known();
        let failed_before = matches!(known.checked, Some((_, Some(_))));
        match &why {
            Some(why) if !failed_before => {
                tracing::warn!(error = why, "the database takes no writes");
            }
            None if failed_before => tracing::info!("the database takes writes again"),
            _ => {}
        }
        metrics::gauge!("kizuna_database_refuses_writes").set(if why.is_some() { 1.0 } else { 0.0 });
        known.is_suspect = why.is_some();
        known.checked = Some((Instant::now(), why));
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().expect("no panic under this lock")
    }
}

/// Writes the row of this process, with this many bytes beside.
async fn write(db: &Db, row: i64, bytes: usize) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    let put = Sql::new("INSERT INTO write_checks (id, checks, payload)")
        .push(" VALUES (?, 1, ?)", [row.into(), noise(bytes).into()])
        .push(
            " ON CONFLICT (id) DO UPDATE SET checks = write_checks.checks + 1, payload = excluded.payload",
            [],
        );
    tx.execute(&put).await?;
    tx.commit().await
}

/// Text that does not compress.
fn noise(bytes: usize) -> String {
    let mut state = new_id().bits() as u64 | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Printable ASCII.
        char::from(b'!' + (state % 94) as u8)
    };
    (0..bytes).map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ready(check: &WriteCheck) -> Option<bool> {
        check.known().recent().map(|recent| recent.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_holds_for_a_while_and_a_commit_takes_its_place() {
        let check = WriteCheck::new();
        assert_eq!(is_ready(&check), None, "nothing is known");
        check.committed();
        assert_eq!(is_ready(&check), Some(true));
        tokio::time::advance(EVERY).await;
        assert_eq!(is_ready(&check), None);
        check.record(&Ok(()));
        assert_eq!(is_ready(&check), Some(true));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_only_a_check_clears_the_suspicion() {
        let check = WriteCheck::new();
        check.failed(&StoreError::Failed("a defect".into()));
        check.committed();
        assert_eq!(is_ready(&check), Some(true), "a defect of a statement says nothing of the disk");
        check.failed(&StoreError::Unavailable("full".into()));
        check.committed();
        assert_eq!(is_ready(&check), None);
        check.record(&Err(StoreError::Unavailable("full".into())));
        check.committed();
        assert_eq!(is_ready(&check), Some(false));
        tokio::time::advance(EVERY).await;
        assert_eq!(is_ready(&check), None, "a commit of a small row is no proof");
        check.record(&Ok(()));
        assert_eq!(is_ready(&check), Some(true));
    }

    #[test]
    fn noise_is_as_long_as_was_asked_for_and_never_the_same() {
        assert_eq!(noise(0), "");
        assert_eq!(noise(5_000).len(), 5_000);
        assert_ne!(noise(20), noise(20));
    }
}
