//! Wakes requests that wait for events, on whatever node those are committed.
//!
//! A commit of this node, and what other nodes send through Redis, comes from the registry and wakes those who want an
//! event of its types. Once a second, if anybody waits, one query asks for the head of the log: what came neither way
//! wakes everybody. So the number of those who wait costs the database nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use kernel::error::{Error, ErrorCode};
use kernel::event::EventType;
use runtime::log_order::LogOrder;
use runtime::registry::{Batch, Filter, Registry};
use runtime::stats::ActorStats;
use runtime::supervisor::LivenessGuard;
use store::{Db, log};

/// Requests of this node that may wait at the same time.
pub const WAITING_MAX: usize = 1_000;
/// Requests that look at the same time, of those that were woken.
const LOOKING_MAX: usize = 4;
/// Commits that may wait to be looked at; what is lost is found by the next look at the log.
const QUEUE: usize = 1_024;
/// How often the head of the log is read while somebody waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pause before subscribing again while the registry is away.
const SUBSCRIBE_RETRY: Duration = Duration::from_millis(100);

/// Who waits on this node; clones share it. It outlives the actor that wakes them.
#[derive(Clone)]
pub struct LogWatch {
    all: Arc<Mutex<Waiting>>,
    looking: Arc<Semaphore>,
}

impl Default for LogWatch {
    fn default() -> Self {
        Self { all: Arc::default(), looking: Arc::new(Semaphore::new(LOOKING_MAX)) }
    }
}

#[derive(Default)]
struct Waiting {
    next: u64,
    waiters: HashMap<u64, Entry>,
}

struct Entry {
    wanted: Wanted,
    woken: Arc<Notify>,
}

/// What a request waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// An event of one of these types; none stands for every type.
    pub types: Vec<EventType>,
    /// Or that a lease of this subscription ends.
    pub subscription: Option<String>,
}

impl Wanted {
    fn is_in(&self, batch: &Batch) -> bool {
        let wants = |of: EventType| self.types.is_empty() || self.types.contains(&of);
        batch.events.iter().any(|event| wants(event.event.event_type))
    }
}

/// A request that waits; dropping it ends that.
pub struct Waiter {
    watch: LogWatch,
    number: u64,
    woken: Arc<Notify>,
}

impl Waiter {
    /// From now on events of these types alone wake it; none stands for every type.
    pub fn wants(&self, types: Vec<EventType>) {
        if let Some(entry) = self.watch.waiting().waiters.get_mut(&self.number) {
            entry.wanted.types = types;
        }
    }

    /// Waits for the turn to look for what has come. One commit may wake a thousand: together they would be an overload.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.watch.looking.clone().acquire_owned().await.ok()
    }

    /// Waits until something may have come since this waiter was made, or since the last time that this returned.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.watch.waiting().waiters.remove(&self.number);
        metrics::gauge!("kizuna_event_readers_waiting").decrement(1);
    }
}

impl LogWatch {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.all.lock().expect("no panic under this lock")
    }

    /// Begins to wait. What is committed from now on wakes the waiter, also before it waits: so look first, then wait.
    ///
    /// # Errors
    /// `too_many_waiting`.
    pub fn wait_for(&self, wanted: Wanted) -> Result<Waiter, Error> {
        let woken = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        if waiting.waiters.len() >= WAITING_MAX {
            return Err(Error::after(ErrorCode::TooManyWaiting, Duration::from_secs(1)));
        }
        waiting.next += 1;
        let number = waiting.next;
        waiting.waiters.insert(number, Entry { wanted, woken: woken.clone() });
        metrics::gauge!("kizuna_event_readers_waiting").increment(1);
        Ok(Waiter { watch: self.clone(), number, woken })
    }

    /// A lease of this subscription has ended: what it held back may be had.
    pub fn lease_ended(&self, subscription: &str) {
        self.wake(|wanted| wanted.subscription.as_deref() == Some(subscription));
    }

    fn wake(&self, is_meant: impl Fn(&Wanted) -> bool) {
        let waiting = self.waiting();
        let meant = waiting.waiters.values().filter(|entry| is_meant(&entry.wanted));
        meant.for_each(|entry| entry.woken.notify_one());
    }

    fn is_idle(&self) -> bool {
        self.waiting().waiters.is_empty()
    }
}

/// The actor that wakes those who wait.
pub struct WatchActor {
    db: Db,
    registry: Registry,
    watch: LogWatch,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl WatchActor {
    pub fn new(
        db: Db,
        registry: Registry,
        watch: LogWatch,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { db, registry, watch, stats, _liveness: liveness }
    }
}

impl Actor for WatchActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (db, registry) = (self.db.clone(), self.registry.clone());
        let (watch, stats) = (self.watch.clone(), self.stats.clone());
        let work = async move {
            let commits = loop {
                match registry.subscribe(Filter::All, QUEUE).await {
                    Ok(commits) => break commits,
                    Err(_) => tokio::time::sleep(SUBSCRIBE_RETRY).await,
                }
            };
            // What was committed while no actor listened.
            watch.wake(|_| true);
            follow(&db, commits, &watch, &stats).await;
        };
        // It ends only if the registry has ended: then this actor starts again.
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

async fn follow(db: &Db, mut commits: mpsc::Receiver<Batch>, watch: &LogWatch, stats: &ActorStats) {
    let mut seen = Seen::default();
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            batch = commits.recv() => {
                let Some(batch) = batch else { return };
                stats.step();
                watch.wake(|wanted| wanted.is_in(&batch));
                seen.take(batch);
            }
            _ = look.tick() => {
                if watch.is_idle() {
                    seen.skip();
                } else if let Ok(head) = stats.progress().watch(log::head(db)).await
                    && seen.misses(head)
                {
                    watch.wake(|_| true);
                }
            }
        }
    }
}

/// Which numbers of the log have come.
#[derive(Default)]
struct Seen {
    order: LogOrder,
    /// The greatest number that has come.
    last: i64,
}

impl Seen {
    fn take(&mut self, batch: Batch) {
        self.last = batch.spans.iter().map(|span| span.to).fold(self.last, i64::max);
        // Only the numbers matter.
        self.order.take(&Batch { events: Vec::new(), ..batch });
    }

    /// Nobody has waited for what is missing.
    fn skip(&mut self) {
        self.order.advance(self.last);
    }

    /// Whether events up to the head of the log have not come.
    fn misses(&mut self, head: i64) -> bool {
        let misses = self.order.position() < head;
        self.order.advance(head);
        misses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::events::{CUSTOMER_CREATED, USER_CREATED};
    use kernel::clock::Timestamp;
    use kernel::event::{Event, LoggedEvent, raw};
    use kernel::ids::new_id;
    use runtime::registry::Origin;

    fn batch(numbers: &[i64]) -> Batch {
        let event = |number: &i64| {
            let id = new_id();
            let event = Event {
                id,
                event_type: CUSTOMER_CREATED,
                subject: id,
                sequence: 1,
                partition_key: id,
                time: Timestamp::from_micros(0),
                data: raw(&()).into(),
                traceparent: None,
                correlation_id: "a".into(),
                causation_id: None,
                actor_id: None,
                api_key_id: None,
            };
            Arc::new(LoggedEvent { partition: 0, partition_seq: *number, log_seq: Some(*number), event })
        };
        Batch::of(numbers.iter().map(event).collect(), Origin::Remote)
    }

    fn is_woken(waiter: &Waiter) -> bool {
        use futures_util::FutureExt;
        waiter.woken().now_or_never().is_some()
    }

    #[test]
    fn a_commit_wakes_those_who_want_its_types_also_before_they_wait() {
        let watch = LogWatch::default();
        let wanted = |types: &[EventType]| Wanted { types: types.to_vec(), subscription: None };
        let all = watch.wait_for(Wanted::default()).expect("room");
        let customers = watch.wait_for(wanted(&[CUSTOMER_CREATED])).expect("room");
        let users = watch.wait_for(wanted(&[USER_CREATED])).expect("room");
        let commit = batch(&[1]);
        watch.wake(|wanted| wanted.is_in(&commit));
        assert_eq!([&all, &customers, &users].map(is_woken), [true, true, false]);
        assert!(!is_woken(&all), "once");
        drop((all, customers, users));
        assert!(watch.is_idle());
    }

    #[test]
    fn the_end_of_a_lease_wakes_the_readers_of_its_subscription() {
        let watch = LogWatch::default();
        let of = |name: &str| Wanted { types: vec![USER_CREATED], subscription: Some(name.to_owned()) };
        let (one, other) = (watch.wait_for(of("a")).expect("room"), watch.wait_for(of("b")).expect("room"));
        watch.lease_ended("a");
        assert_eq!([&one, &other].map(is_woken), [true, false]);
    }

    #[test]
    fn the_number_of_those_who_wait_is_bounded() {
        let watch = LogWatch::default();
        let wait = || watch.wait_for(Wanted::default());
        let waiters: Vec<Waiter> = (0..WAITING_MAX).map(|_| wait().expect("room")).collect();
        assert_eq!(wait().err().map(|error| error.code), Some(ErrorCode::TooManyWaiting));
        drop(waiters);
        assert!(wait().is_ok());
    }

    #[test]
    fn what_never_came_is_missed_once() {
        let mut seen = Seen::default();
        assert!(seen.misses(4) && !seen.misses(4));
        seen.take(batch(&[5, 6]));
        assert!(!seen.misses(6));
        seen.take(batch(&[9]));
        assert!(seen.misses(9), "7 and 8 did not come");
        seen.take(batch(&[12]));
        seen.skip();
        assert!(!seen.misses(12));
    }
}
