//! A value whose changes tasks wait for.
//!
//! It is used instead of `tokio::sync::watch`, which wakes its waiters in an order that it draws by chance: a simulated
//! world could not be repeated. Here those who began to wait first are woken first.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

/// The value; clones share it.
pub struct Watched<T>(Arc<Inner<T>>);

struct Inner<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

struct State<T> {
    value: T,
    /// How often it has changed.
    changes: u64,
}

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: fmt::Debug + Clone> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.get()).finish()
    }
}

impl<T: Clone> Watched<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new(Inner { state: Mutex::new(State { value, changes: 0 }), changed: Notify::new() }))
    }

    /// The value now.
    pub fn get(&self) -> T {
        self.state().value.clone()
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.modify(|known| {
            *known = value;
            true
        });
    }

    /// Changes the value; wakes the waiters if `change` says that it did.
    pub fn modify(&self, change: impl FnOnce(&mut T) -> bool) {
        let mut state = self.state();
        if change(&mut state.value) {
            state.changes += 1;
            drop(state);
            self.0.changed.notify_waiters();
        }
    }

    /// A watcher of every change from now on.
    pub fn watch(&self) -> Watcher<T> {
        Watcher { seen: self.state().changes, watched: self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.state.lock().expect("no panic under this lock")
    }
}

/// Waits for changes.
pub struct Watcher<T> {
    watched: Watched<T>,
    seen: u64,
}

impl<T: Clone> Watcher<T> {
    /// The value now, which counts as seen.
    pub fn get(&mut self) -> T {
        let state = self.watched.state();
        self.seen = state.changes;
        state.value.clone()
    }

    /// Waits for a change that was not seen, which counts as seen then.
    pub async fn changed(&mut self) {
        loop {
            // Before the look, so that a change in between wakes it.
            let changed = self.watched.0.changed.notified();
            let changes = self.watched.state().changes;
            if changes != self.seen {
                self.seen = changes;
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_change_is_seen_once_also_if_it_came_before_the_waiting() {
        let watched = Watched::new(1);
        let (mut first, mut second) = (watched.watch(), watched.watch());
        watched.modify(|_| false);
        assert!(first.changed().now_or_never().is_none(), "nothing has changed");
        watched.set(2);
        assert!(first.changed().now_or_never().is_some());
        assert!(first.changed().now_or_never().is_none());
        assert_eq!((second.get(), watched.get()), (2, 2));
        assert!(second.changed().now_or_never().is_none(), "it has looked");
        let late = async { watched.set(3) };
        tokio::join!(second.changed(), late);
        assert_eq!(second.get(), 3);
    }
}
