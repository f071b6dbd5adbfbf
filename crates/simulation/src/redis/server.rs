//! The keys of the simulated Redis.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::database::server::Traffic;

/// The id of an entry of a stream.
pub(super) type EntryId = (u64, u64);

/// A stream: its entries with the times of their adding, and the last id that was ever given.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub entries: BTreeMap<EntryId, (Instant, Vec<u8>)>,
    pub last: EntryId,
}

/// What a key holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub stream: Stream,
    pub expires: Option<Instant>,
}

#[derive(Default)]
pub(super) struct State {
    keys: BTreeMap<Vec<u8>, Kept>,
    pub is_away: bool,
    pub traffic: Traffic,
}

/// The server; clones are the same one.
#[derive(Clone, Default)]
pub struct Server(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    added: Notify,
}

impl Server {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic under this lock")
    }

    /// It forgets everything.
    pub fn flush(&self) {
        self.state().keys.clear();
    }

    /// It answers no longer, or again.
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
        self.wake();
    }

    /// What came and went until now.
    pub fn traffic(&self) -> Traffic {
        self.state().traffic
    }

    pub(super) fn wake(&self) {
        self.0.added.notify_waiters();
    }

    /// Waits until something is added, at most so long.
    pub(super) async fn until_added(&self, within: Duration) {
        let _ = tokio::time::timeout(within, self.0.added.notified()).await;
    }
}

impl State {
    /// What a key holds, if it has not expired.
    pub fn get(&mut self, key: &[u8]) -> Option<&mut Kept> {
        let now = Instant::now();
        if self.keys.get(key).is_some_and(|kept| kept.expires.is_some_and(|expires| expires <= now)) {
            self.keys.remove(key);
        }
        self.keys.get_mut(key)
    }

    /// The value of a key. A key without one gets an empty value first.
    pub fn make(&mut self, key: &[u8]) -> &mut Kept {
        self.get(key);
        self.keys.entry(key.to_vec()).or_default()
    }

    pub fn delete(&mut self, key: &[u8]) -> bool {
        self.keys.remove(key).is_some()
    }
}
