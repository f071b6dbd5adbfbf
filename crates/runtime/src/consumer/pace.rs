//! How many events a consumer puts into one unit of work. A failure begins a unit anew: where something fails now and then,
//! or whenever there is too much at once, a large unit would never be committed, but smaller ones are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The size of the next unit of a consumer; clones share it.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    now: AtomicUsize,
    has_committed: AtomicBool,
}

impl Pace {
    /// Begins with the most events that a unit may have.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, now: AtomicUsize::new(most), has_committed: AtomicBool::new(false) }))
    }

    /// The most events of the next unit, one at least.
    pub fn now(&self) -> usize {
        self.0.now.load(Ordering::Relaxed).max(1)
    }

    /// After a unit was committed the next may be an eighth larger.
    pub fn committed(&self) {
        let now = self.now();
        self.0.now.store((now + now / 8 + 1).min(self.0.most), Ordering::Relaxed);
        self.0.has_committed.store(true, Ordering::Relaxed);
    }

    /// After a failure the next unit is half as large. Returns whether one was committed since the last failure.
    pub fn failed(&self) -> bool {
        self.0.now.store(self.now() / 2, Ordering::Relaxed);
        self.0.has_committed.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_with_each_failure_and_comes_back() {
        let pace = Pace::new(512);
        assert_eq!(pace.now(), 512);
        assert!(!pace.failed());
        assert_eq!(pace.now(), 256);
        (0..20).for_each(|_| _ = pace.failed());
        assert_eq!(pace.now(), 1);
        pace.committed();
        assert_eq!(pace.now(), 2);
        assert!(pace.failed(), "there was progress");
        assert!(!pace.failed());
        (0..60).for_each(|_| pace.committed());
        assert_eq!(pace.now(), 512);
    }
}
