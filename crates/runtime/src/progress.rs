//! What an actor has under way and since when, so that its supervisor finds one that is stuck.
//!
//! An actor that works on its own encloses each unit of its work in [`Progress::watch`]; what it does between two units,
//! waiting for the next, is nobody's business. Progress within a unit is told by [`made`]: whoever sends a message
//! through this crate tells it by itself whenever an answer comes, so that a unit may last as long as it has to.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

tokio::task_local! {
    /// The unit of work that the current task is in.
    static UNDER_WAY: Arc<WorkItem>;
}

/// The units of work that an actor has under way.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Vec<Arc<WorkItem>>>);

/// A unit of work: when it last made progress.
#[derive(Debug)]
struct WorkItem(Mutex<Instant>);

impl WorkItem {
    fn made_progress(&self) {
        *self.0.lock().expect("no panic under this lock") = Instant::now();
    }
}

/// The current unit of work goes on.
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
/// Without effect outside of one.
pub fn made() {
    let _ = UNDER_WAY.try_with(|unit| unit.made_progress());
}

impl Progress {
    /// Does `work` as one unit. Dropped before its end, it is under way no longer.
    pub async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        let unit = Arc::new(WorkItem(Mutex::new(Instant::now())));
        let _listed = Listed::new(self, unit.clone());
        UNDER_WAY.scope(unit, work).await
    }

    /// For how long a unit has been under way without progress, of several the one that has waited longest; `None` if
    /// none is under way.
    pub fn stalled_for(&self) -> Option<Duration> {
        let units = self.0.lock().expect("no panic under this lock");
        let last = units.iter().map(|unit| *unit.0.lock().expect("no panic under this lock")).min();
        last.map(|last| last.elapsed())
    }
}

/// A unit's place among those under way.
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
