//! The threads of the actors. Each runs one single-threaded runtime.

use std::sync::{Arc, Mutex};

use actix::{Arbiter, ArbiterHandle};

/// A message to another thread costs more than handling most messages. So services and the journal share the first
/// thread, aggregates use the first one and those of further cores, and consumers have a thread of their own.
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

    /// The thread of services and the journal.
    pub fn serving(&self) -> ArbiterHandle {
        self.serving[0].handle()
    }

    /// The thread of consumers.
    pub fn feeding(&self) -> ArbiterHandle {
        self.feeding.clone()
    }

    /// The thread of the aggregate with this hash.
    pub fn of_aggregate(&self, hash: u64) -> ArbiterHandle {
        let place = usize::try_from(hash % self.serving.len() as u64).expect("less than the count");
        self.serving[place].handle()
    }

    /// Stops the threads, the one of consumers first: they would log errors if the journal ended before them.
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
