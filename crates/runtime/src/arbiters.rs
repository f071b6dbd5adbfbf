//! The threads that actors live on; each is one single-threaded runtime.

use std::sync::{Arc, Mutex};

use actix::{Arbiter, ArbiterHandle};

/// A hop to another thread costs more than most messages: services and the journal share the first, and
/// aggregates the first and those that further cores allow. Feeds keep to one of their own.
#[derive(Clone)]
pub struct Arbiters {
    serving: Arc<Vec<Arbiter>>,
    feeding: ArbiterHandle,
    feeds: Arc<Mutex<Option<Arbiter>>>,
}

impl Arbiters {
    /// Starts them within the current actix system.
    pub fn start(cores: usize) -> Self {
        let serving = cores.saturating_sub(1).max(1);
        let feeds = Arbiter::new();
        Self {
            serving: Arc::new((0..serving).map(|_| Arbiter::new()).collect()),
            feeding: feeds.handle(),
            feeds: Arc::new(Mutex::new(Some(feeds))),
        }
    }

    /// Where services and the journal live.
    pub fn serving(&self) -> ArbiterHandle {
        self.serving[0].handle()
    }

    /// Where consumers live.
    pub fn feeding(&self) -> ArbiterHandle {
        self.feeding.clone()
    }

    /// Where the aggregate with this hash lives.
    pub fn of_aggregate(&self, hash: u64) -> ArbiterHandle {
        let place = usize::try_from(hash % self.serving.len() as u64).expect("less than the count");
        self.serving[place].handle()
    }

    /// Ends all of them, feeds first: they would complain of a journal that is gone before them.
    pub fn stop(&self) {
        if let Some(feeds) = self.feeds.lock().expect("no panic under this lock").take() {
            feeds.stop();
            let _ = feeds.join();
        }
        for arbiter in self.serving.iter() {
            arbiter.stop();
        }
    }
}
