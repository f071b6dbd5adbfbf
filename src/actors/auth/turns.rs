//! Whose turn it is to have a password checked: one attempt of a kind at a time, and of all as many as there are threads to
//! hash. So an attempt is charged only while its password is being checked, and right passwords at the same time do not
//! take each other's place.

use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use kernel::error::Error;

/// The most attempts of one kind that wait.
const WAITING_MAX: usize = 64;
/// The most attempts of all kinds that wait for a thread.
const QUEUE: usize = 256;

type Queues = Arc<DashMap<String, Arc<Semaphore>>>;

/// The attempts of this node that wait; clones share them.
#[derive(Clone)]
pub struct Turns {
    queues: Queues,
    threads: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// An attempt in its queue; it leaves when dropped.
struct Place {
    queues: Queues,
    key: String,
    queue: Option<Arc<Semaphore>>,
}

/// The turn of an attempt, until it is dropped.
pub struct Turn {
    // Dropped in this order: the next attempt begins before the queue is forgotten.
    _thread: OwnedSemaphorePermit,
    _first: OwnedSemaphorePermit,
    _place: Place,
}

impl Turns {
    /// `threads`: how many passwords are hashed at the same time.
    pub fn new(threads: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { queues: Queues::default(), threads: semaphore(threads.max(1)), waiting: semaphore(QUEUE) }
    }

    /// Waits for the turn of an attempt of this kind.
    ///
    /// # Errors
    /// `overloaded` if too many wait.
    pub async fn take(&self, key: &str) -> Result<Turn, Error> {
        let full = || Error::overloaded().with_cause("too many sign-ins wait for their turn");
        let place = Place::join(&self.queues, key).ok_or_else(full)?;
        let queue = place.queue.clone().expect("joined");
        let first = queue.acquire_owned().await.map_err(Error::internal)?;
        let waits = self.waiting.clone().try_acquire_owned().map_err(|_| full())?;
        let thread = self.threads.clone().acquire_owned().await.map_err(Error::internal)?;
        drop(waits);
        Ok(Turn { _thread: thread, _first: first, _place: place })
    }
}

impl Place {
    /// `None` if the queue is full.
    fn join(queues: &Queues, key: &str) -> Option<Self> {
        let queue = queues.entry(key.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone();
        // Each attempt holds it twice: by its place, and while it waits or by its permit.
        let is_full = Arc::strong_count(&queue) > 2 * (WAITING_MAX + 1);
        let place = Self { queues: queues.clone(), key: key.to_owned(), queue: Some(queue) };
        (!is_full).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue = None;
        self.queues.remove_if(&self.key, |_, queue| Arc::strong_count(queue) == 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn attempts_of_a_kind_come_one_after_another_and_their_queue_is_forgotten() {
        let turns = Turns::new(2);
        let first = turns.take("a").await.unwrap();
        let other = turns.take("b").await.unwrap();
        let (second, third) = (turns.take("a"), turns.take("c"));
        tokio::pin!(second, third);
        for waiting in [&mut second, &mut third] {
            assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
        }
        drop(other);
        third.await.unwrap();
        drop(first);
        second.await.unwrap();
        assert!(turns.queues.is_empty());
    }

    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let turns = Turns::new(1);
        let first = turns.take("a").await.unwrap();
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| {
                let turns = turns.clone();
                tokio::spawn(async move { turns.take("a").await.map(drop) })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(turns.take("a").await.is_err());
        drop(first);
        for taken in waiting {
            taken.await.unwrap().unwrap();
        }
        turns.take("a").await.unwrap();
        assert!(turns.queues.is_empty());
    }
}
