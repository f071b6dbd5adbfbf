//! A cache of states for reading, beside the children.
//!
//! A commit of this node replaces the cached state at once. A read of the database that begins before the commit and
//! ends after it must not bring the old state back. So it takes a [`ReadStamp`] first, which the commit invalidates.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::ops::compute::Op;
use tokio::time::Instant;

use kernel::ids::Id;

/// Counters of commits. Aggregates that share a counter invalidate each other's stamps, which costs a read.
const COUNTERS: usize = 256;

/// The cached states of one kind of aggregate.
pub(super) struct StateCache<S> {
    states: moka::sync::Cache<Id, CachedState<S>>,
    version: fn(&S) -> i64,
    commits: Box<[AtomicU64]>,
}

struct CachedState<S> {
    state: Arc<S>,
    /// A time before the database was read: the state was the last one then.
    asked: Instant,
}

impl<S> Clone for CachedState<S> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), asked: self.asked }
    }
}

/// When a read or a commit began, and the count of this node's commits at that time.
#[derive(Clone, Copy)]
pub(super) struct ReadStamp {
    asked: Instant,
    commits: u64,
}

impl<S: Send + Sync + 'static> StateCache<S> {
    pub fn new(capacity: u64, version: fn(&S) -> i64) -> Self {
        let states = moka::sync::Cache::builder().max_capacity(capacity).build();
        Self { states, version, commits: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// The state that this node committed or read last.
    pub fn last(&self, id: Id) -> Option<Arc<S>> {
        self.states.get(&id).map(|held| held.state)
    }

    /// The state, if it was the last one of any node less than `age` ago.
    pub fn within(&self, id: Id, age: Duration) -> Option<Arc<S>> {
        self.states.get(&id).filter(|held| held.asked.elapsed() < age).map(|held| held.state)
    }

    /// A stamp to take before the database is read.
    pub fn read_stamp(&self, id: Id) -> ReadStamp {
        ReadStamp { asked: Instant::now(), commits: self.counter(id).load(Ordering::SeqCst) }
    }

    /// Caches a state that was read, unless a commit came after the stamp.
    pub fn was_read(&self, id: Id, state: &Arc<S>, read_stamp: ReadStamp) {
        self.put(id, state, read_stamp.asked, || {
            self.counter(id).load(Ordering::SeqCst) == read_stamp.commits
        });
    }

    /// Caches a committed state, unless a later one is there. `asked` is a stamp from before the commit.
    pub fn was_committed(&self, id: Id, state: &Arc<S>, asked: Instant) {
        // First invalidate the stamps: a read that ends later finds its stamp invalid, and one that ended before is
        // replaced now.
        self.counter(id).fetch_add(1, Ordering::SeqCst);
        self.put(id, state, asked, || true);
    }

    /// Drops a state that may be wrong.
    pub fn forget(&self, id: Id) {
        self.counter(id).fetch_add(1, Ordering::SeqCst);
        self.states.invalidate(&id);
    }

    fn put(&self, id: Id, state: &Arc<S>, asked: Instant, holds: impl FnOnce() -> bool) {
        self.states.entry(id).and_compute_with(|held| {
            let (kept, since) = held.map_or((0, None), |held| {
                let held = held.into_value();
                ((self.version)(&held.state), Some(held.asked))
            });
            let version = (self.version)(state);
            if version < kept || !holds() {
                return Op::Nop;
            }
            let since = since.filter(|_| kept == version).map_or(asked, |since| since.max(asked));
            Op::Put(CachedState { state: state.clone(), asked: since })
        });
    }

    fn counter(&self, id: Id) -> &AtomicU64 {
        &self.commits[(id.bits() % COUNTERS as u128) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    const AGE: Duration = Duration::from_millis(500);

    fn kept() -> StateCache<i64> {
        StateCache::new(100, |version| *version)
    }

    #[test]
    fn an_older_read_that_ends_later_hides_no_commit() {
        let (kept, id) = (kept(), new_id());
        let before = kept.read_stamp(id);
        kept.was_committed(id, &Arc::new(2), Instant::now());
        kept.was_read(id, &Arc::new(1), before);
        assert_eq!(kept.last(id).as_deref(), Some(&2));
        // Also if the committed state is no longer cached.
        kept.states.invalidate(&id);
        kept.was_read(id, &Arc::new(1), before);
        assert_eq!(kept.last(id), None);
        let after = kept.read_stamp(id);
        kept.was_read(id, &Arc::new(2), after);
        assert_eq!(kept.last(id).as_deref(), Some(&2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_as_old_as_the_question() {
        let (kept, id) = (kept(), new_id());
        let read_stamp = kept.read_stamp(id);
        tokio::time::advance(AGE - Duration::from_millis(1)).await;
        kept.was_read(id, &Arc::new(1), read_stamp);
        assert_eq!(kept.within(id, AGE).as_deref(), Some(&1));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(kept.within(id, AGE), None);
        assert_eq!(kept.last(id).as_deref(), Some(&1));
        kept.was_read(id, &Arc::new(1), kept.read_stamp(id));
        assert_eq!(kept.within(id, AGE).as_deref(), Some(&1), "the same one, seen again");
    }

    #[test]
    fn what_was_forgotten_is_not_brought_back() {
        let (kept, id) = (kept(), new_id());
        let before = kept.read_stamp(id);
        kept.forget(id);
        kept.was_read(id, &Arc::new(1), before);
        assert_eq!(kept.last(id), None);
    }
}
