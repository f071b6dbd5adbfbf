//! What a process of the world can do: run, hang, or be dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A process; clones are the same one. Whatever leaves it or reaches it passes [`Process::awake`]. So a process that hangs
/// does nothing that others could see, and a dead one never again does.
#[derive(Clone, Default)]
pub struct Process(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_dead: AtomicBool,
    hangs: AtomicBool,
    changed: Notify,
}

impl Process {
    /// Waits until the process runs; for ever if it is dead.
    pub async fn awake(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_dead() {
                return std::future::pending().await;
            }
            if !self.0.hangs.load(Ordering::Relaxed) {
                return;
            }
            changed.await;
        }
    }

    /// Waits until it is dead.
    pub async fn death(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_dead() {
                return;
            }
            changed.await;
        }
    }

    pub fn is_dead(&self) -> bool {
        self.0.is_dead.load(Ordering::Relaxed)
    }

    /// It dies at once.
    pub fn kill(&self) {
        self.0.is_dead.store(true, Ordering::Relaxed);
        self.0.changed.notify_waiters();
    }

    pub fn hangs(&self) -> bool {
        self.0.hangs.load(Ordering::Relaxed)
    }

    /// It hangs, or goes on.
    pub fn hang(&self, hangs: bool) {
        self.0.hangs.store(hangs, Ordering::Relaxed);
        self.0.changed.notify_waiters();
    }
}
