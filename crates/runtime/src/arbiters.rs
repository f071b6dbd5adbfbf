//! The threads of the actors. Each runs one single-threaded runtime.

use std::sync::{Arc, Mutex};

use actix::{Arbiter, ArbiterHandle};

/// A message to another thread costs more than handling most messages. So services and the journal share the first
/// thread, aggregates use the first one and those of further cores, and consumers have a thread of their own.
#[derive(Clone)]
pub struct Arbiters {
    serving: Arc<[ArbiterHandle]>,
    feeding: ArbiterHandle,
    threads: Arc<Mutex<Threads>>,
}

/// The threads that are to be stopped.
#[derive(Default)]
struct Threads {
    feeds: Option<Arbiter>,
    serving: Vec<Arbiter>,
}

impl Arbiters {
    /// Starts them within the current actix system.
    pub fn start(cores: usize) -> Self {
        let feeds = Arbiter::new();
        let serving: Vec<Arbiter> = (0..cores.saturating_sub(1).max(1)).map(|_| Arbiter::new()).collect();
        Self {
            serving: serving.iter().map(Arbiter::handle).collect(),
            feeding: feeds.handle(),
            threads: Arc::new(Mutex::new(Threads { feeds: Some(feeds), serving })),
        }
    }

    /// All actors on the current thread, as in a simulated world.
    #[cfg(feature = "simulation")]
    pub fn here() -> Self {
        let here = Arbiter::current();
        Self { serving: [here.clone()].into(), feeding: here, threads: Arc::default() }
    }

    /// The thread of services and the journal.
    pub fn serving(&self) -> ArbiterHandle {
        self.serving[0].clone()
    }

    /// The thread of consumers.
    pub fn feeding(&self) -> ArbiterHandle {
        self.feeding.clone()
    }

    /// The thread of the aggregate with this hash.
    pub fn of_aggregate(&self, hash: u64) -> ArbiterHandle {
        let place = usize::try_from(hash % self.serving.len() as u64).expect("less than the count");
        self.serving[place].clone()
    }

    /// Stops the threads, the one of consumers first: they would log errors if the journal ended before them.
    pub fn stop(&self) {
        let Threads { feeds, serving } =
            std::mem::take(&mut *self.threads.lock().expect("no panic under this lock"));
        if let Some(feeds) = feeds {
            feeds.stop();
            let _ = feeds.join();
        }
        for arbiter in serving {
            arbiter.stop();
        }
    }
}
