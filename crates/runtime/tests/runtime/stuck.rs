//! An actor that hangs: its supervisor sees it, raises the alarm, and starts it again; nothing is lost or done twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::event::{EventType, LoggedEvent};
use kernel::service_id::ServiceId;
use kizuna_runtime::consumer::{Consumer, EffectError};
use kizuna_runtime::progress;
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use store::Db;
use store::unit_of_work::UnitOfWork;
use tokio::sync::Semaphore;

use crate::node::{Node, RANG, counted, counting, eventually, run};

/// What a test waits for a hung actor. It holds for the journal, too: far more than a commit takes on a busy disk, and
/// less than the 5 s after which one gives up waiting for its connection.
const STUCK_AFTER: Duration = Duration::from_secs(3);

/// The actor of the consumer [`Counting`].
const NAME: &str = "feed.bell.counting";

/// A consumer that counts, and may do something before.
struct Counting<F>(F);

impl<F: AsyncBefore> Consumer for Counting<F> {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "bell.counting";
    const TYPES: &'static [EventType] = &[RANG];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        self.0.before().await;
        Ok(counting(db, events).await?)
    }
}

trait AsyncBefore: Send + Sync + 'static {
    fn before(&self) -> impl Future<Output = ()> + Send;
}

/// Hangs once.
#[derive(Default)]
struct Hangs(AtomicU32);

impl AsyncBefore for Hangs {
    async fn before(&self) {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            std::future::pending().await
        }
    }
}

/// Takes twice as long as what counts as stuck, and shows that it goes on.
struct GoesOn;

impl AsyncBefore for GoesOn {
    async fn before(&self) {
        for _ in 0..8 {
            tokio::time::sleep(STUCK_AFTER / 4).await;
            progress::made();
        }
    }
}

/// Waits once, with its effect before it, until the test lets it go on.
struct Gate {
    entered: Semaphore,
    open: Semaphore,
}

impl AsyncBefore for Arc<Gate> {
    async fn before(&self) {
        self.entered.add_permits(1);
        self.open.acquire().await.expect("it is never closed").forget();
    }
}

/// Counts each metric by the actor it is about.
#[derive(Clone, Default)]
struct Alarms(Arc<Mutex<Counts>>);

/// By the metric's name and the actor's.
type Counts = HashMap<(String, String), Arc<Count>>;

#[derive(Default)]
struct Count(AtomicU32);

impl CounterFn for Count {
    fn increment(&self, by: u64) {
        self.0.fetch_add(by as u32, Ordering::SeqCst);
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for Alarms {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let actor = key.labels().find(|label| label.key() == "actor").map_or("", |label| label.value());
        let place = (key.name().to_owned(), actor.to_owned());
        Counter::from_arc(self.0.lock().unwrap().entry(place).or_default().clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl Alarms {
    fn of(&self, actor: &str) -> u32 {
        let place = ("kizuna_actor_stuck_total".to_owned(), actor.to_owned());
        self.0.lock().unwrap().get(&place).map_or(0, |count| count.0.load(Ordering::SeqCst))
    }
}

#[test]
fn a_consumer_that_hangs_is_alarmed_and_started_again_and_each_event_is_applied_once() {
    let alarms = Alarms::default();
    // The supervisor runs on this thread.
    metrics::with_local_recorder(&alarms, || {
        run(async |runtime| {
            let node = Node::start(&runtime, STUCK_AFTER).await;
            node.feed(Counting(Hangs::default()));
            for _ in 0..3 {
                node.ring().await;
            }
            eventually("all events are applied", async || counted(&node.db).await == 3).await;
            assert_eq!((node.reading(NAME).restarts, alarms.of(NAME)), (1, 1));
            node.ring().await;
            eventually("the next one, too", async || counted(&node.db).await == 4).await;
            assert_eq!((node.reading(NAME).live, node.reading(NAME).restarts), (1, 1));
        });
    });
}

#[test]
fn a_consumer_ended_with_a_commit_under_way_applies_its_events_once() {
    run(async |runtime| {
        let node = Node::start(&runtime, STUCK_AFTER).await;
        let gate = Arc::new(Gate { entered: Semaphore::new(0), open: Semaphore::new(0) });
        node.feed(Counting(gate.clone()));
        node.ring().await;
        gate.entered.acquire().await.expect("it is never closed").forget();
        // Somebody else writes: the consumer's commit waits, and so do the cursors that its next instance loads.
        let db = node.db.clone();
        let begun = runtime.spawn(async move { db.begin().await.expect("a transaction") });
        let other = begun.await.expect("no panic");
        gate.open.add_permits(100);
        eventually("it is started again", async || node.reading(NAME).restarts >= 1).await;
        assert_eq!(counted(&node.db).await, 0);
        runtime.spawn(async move { drop(other) }).await.expect("no panic");
        eventually("the event is applied", async || counted(&node.db).await >= 1).await;
        for _ in 0..2 {
            node.ring().await;
        }
        eventually("and the next", async || counted(&node.db).await >= 3).await;
        assert_eq!(counted(&node.db).await, 3, "each once");
    });
}

#[test]
fn a_consumer_that_makes_progress_may_take_as_long_as_it_has_to() {
    run(async |runtime| {
        let node = Node::start(&runtime, STUCK_AFTER).await;
        node.feed(Counting(GoesOn));
        node.ring().await;
        eventually("its event is applied", async || counted(&node.db).await == 1).await;
        assert_eq!(node.reading(NAME).restarts, 0);
    });
}
