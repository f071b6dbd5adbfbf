//! The figures of every actor: queued, handled, failed, restarts (`/metrics`, `/api/admin/actors`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dashmap::DashMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::progress::Progress;
use kernel::failpoint;

/// Counters of one actor, or of all children of one kind.
#[derive(Debug)]
pub struct ActorStats {
    name: String,
    failpoint: String,
    queued: AtomicI64,
    handled: AtomicU64,
    failed: AtomicU64,
    restarts: AtomicU64,
    live: AtomicI64,
    progress: Progress,
}

/// The values of [`ActorStats`] at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActorReading {
    #[schema(example = "journal")]
    pub name: String,
    /// Messages that were sent and are not handled yet.
    pub mailbox: i64,
    pub handled: u64,
    /// Messages without an answer: a panic, a full mailbox, a passed deadline.
    pub failed: u64,
    pub restarts: u64,
    /// The number of running instances.
    pub live: i64,
}

impl ActorStats {
    /// Counts a message that was sent; it counts as queued until its handler takes or drops the returned guard.
    pub fn enqueue(self: &Arc<Self>) -> QueuedMessage {
        self.queued.fetch_add(1, Ordering::Relaxed);
        QueuedMessage(self.clone())
    }

    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an instance until the returned guard is dropped.
    pub fn live_gauge(self: &Arc<Self>) -> LiveGauge {
        self.live.fetch_add(1, Ordering::Relaxed);
        LiveGauge(self.clone())
    }

    /// Counts a step of an actor that works without messages.
    pub fn step(&self) {
        self.handled.fetch_add(1, Ordering::Relaxed);
        failpoint::hit(&self.failpoint);
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The work that the actor has under way.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    fn read(&self) -> ActorReading {
        ActorReading {
            name: self.name.clone(),
            mailbox: self.queued.load(Ordering::Relaxed),
            handled: self.handled.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            restarts: self.restarts.load(Ordering::Relaxed),
            live: self.live.load(Ordering::Relaxed),
        }
    }
}

/// A message between its sender and its handler.
#[derive(Debug)]
pub struct QueuedMessage(Arc<ActorStats>);

impl QueuedMessage {
    /// The handler begins with the message.
    pub fn taken(self) {
        self.0.step();
    }
}

impl Drop for QueuedMessage {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An instance of an actor.
#[derive(Debug)]
pub struct LiveGauge(Arc<ActorStats>);

impl Drop for LiveGauge {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The figures of all actors of this node, by name.
#[derive(Clone, Debug, Default)]
pub struct ActorStatsRegistry(Arc<DashMap<String, Arc<ActorStats>>>);

impl ActorStatsRegistry {
    /// The counters under this name, made at their first use.
    pub fn stats(&self, name: &str) -> Arc<ActorStats> {
        let entry = self.0.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(ActorStats {
                name: name.to_owned(),
                failpoint: format!("actor.{name}"),
                queued: AtomicI64::new(0),
                handled: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                restarts: AtomicU64::new(0),
                live: AtomicI64::new(0),
                progress: Progress::default(),
            })
        });
        entry.clone()
    }

    /// Forgets the counters of an actor that was ended for good.
    pub fn forget(&self, name: &str) {
        self.0.remove(name);
    }

    /// The values of every actor, sorted by name.
    pub fn read(&self) -> Vec<ActorReading> {
        let mut readings: Vec<_> = self.0.iter().map(|entry| entry.read()).collect();
        readings.sort_by(|a, b| a.name.cmp(&b.name));
        readings
    }
}
