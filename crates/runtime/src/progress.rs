//! Records the work that an actor has under way, so that its supervisor finds an actor that is stuck.
//!
//! An actor that works on its own wraps each item of its work in [`Progress::watch`]. Waiting for the next item is not
//! watched. [`made`] reports progress within an item; every answer to a message that is sent through this crate reports
//! it, too, so a long item is not taken for a stuck one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    /// The work item of the current task.
    static UNDER_WAY: Arc<WorkItem>;
}

/// The work items that an actor has under way.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Vec<Arc<WorkItem>>>);

/// A work item: the time of its last progress.
#[derive(Debug)]
struct WorkItem(Mutex<Instant>);

impl WorkItem {
    fn made_progress(&self) {
        *self.0.lock().expect("no panic under this lock") = Instant::now();
    }
}

/// Reports progress of the current work item.
///
/// ```
/// # async fn read_page(_: u32) {}
/// /// Takes longer the more pages there are, and is not stuck for that.
/// async fn read_all(pages: u32) {
///     for page in 0..pages {
///         read_page(page).await;
///         kizuna_runtime::progress::made();
///     }
/// }
/// # futures_util::FutureExt::now_or_never(read_all(3)).unwrap();
/// ```
///
/// Without effect outside of a work item.
pub fn made() {
    let _ = UNDER_WAY.try_with(|unit| unit.made_progress());
}

impl Progress {
    /// Runs `work` as one item. If the future is dropped, the item is no longer under way.
    pub async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        let unit = Arc::new(WorkItem(Mutex::new(Instant::now())));
        let _listed = Listed::new(self, unit.clone());
        UNDER_WAY.scope(unit, work).await
    }

    /// The longest time for which an item has been under way without progress; `None` if no item is under way.
    pub fn stalled_for(&self) -> Option<Duration> {
        let units = self.0.lock().expect("no panic under this lock");
        let last = units.iter().map(|unit| *unit.0.lock().expect("no panic under this lock")).min();
        last.map(|last| last.elapsed())
    }
}

/// Removes an item from those under way when it is dropped.
struct Listed<'a> {
    progress: &'a Progress,
    unit: Arc<WorkItem>,
}

impl<'a> Listed<'a> {
    fn new(progress: &'a Progress, unit: Arc<WorkItem>) -> Self {
        progress.0.lock().expect("no panic under this lock").push(unit.clone());
        Self { progress, unit }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut units = self.progress.0.lock().expect("no panic under this lock");
        units.retain(|unit| !Arc::ptr_eq(unit, &self.unit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_millis(30);

    #[tokio::test]
    async fn a_unit_stalls_until_it_makes_progress_and_is_gone_at_its_end() {
        let progress = Progress::default();
        assert_eq!(progress.stalled_for(), None);
        let stalled = || progress.stalled_for().expect("a unit under way");
        let work = async {
            tokio::time::sleep(STALL).await;
            let before = stalled();
            made();
            (before, stalled())
        };
        let (before, after) = progress.watch(work).await;
        assert!(before >= STALL && after < before, "{before:?}, then {after:?}");
        assert_eq!(progress.stalled_for(), None);
    }

    #[tokio::test]
    async fn of_several_units_the_one_that_has_waited_longest_counts_until_it_is_dropped() {
        let progress = Progress::default();
        let mut hung = Box::pin(progress.watch(std::future::pending::<()>()));
        assert!(futures_util::poll!(&mut hung).is_pending());
        tokio::time::sleep(STALL).await;
        let stalled = progress.watch(async { progress.stalled_for() }).await;
        assert!(stalled.is_some_and(|stalled| stalled >= STALL), "{stalled:?}");
        drop(hung);
        assert_eq!(progress.stalled_for(), None);
    }
}
