//! Consumers: retries in time and order, dead letters, and nothing lost by who is slow.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use kizuna::actors::catalogue::{CUSTOMER_CREATED, CUSTOMER_UPDATED};
use kizuna::actors::customer::domain::Customer;
use kizuna::actors::customer::events::CustomerPayload;
use kizuna::actors::event::LoggedEvent;
use kizuna::actors::runtime::feed::{Consumer, EffectError};
use kizuna::actors::runtime::registry::Filter;
use kizuna::ids::Id;
use kizuna::persistence::analytics::activity_write;
use kizuna::persistence::cursors::{self, Parked, ParkedStatus};
use kizuna::persistence::replicas::{self, CustomerReplica, SALES_CUSTOMERS};
use kizuna::persistence::unit::{Unit, Write};
use kizuna::persistence::{Db, log};
use rstest::rstest;
use tokio::sync::Semaphore;

use crate::common::{count, customer, customer_unit, renamed};
use crate::node::{Node, run};
use crate::support::{Database, Postgres, Sqlite, eventually};

const WITHIN: Duration = Duration::from_secs(10);
/// The seed's spacing in milliseconds.
const SPACING: [u64; 8] = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800];

/// Copies customers and notes each event. A row that comes a second time is refused, one that comes out of
/// order is stale, which would restart the feed.
#[derive(Clone)]
struct Copier {
    broken: Arc<Mutex<HashSet<Id>>>,
    calls: Arc<Mutex<HashMap<Id, usize>>>,
    gate: Arc<Semaphore>,
}

impl Copier {
    fn new() -> Self {
        Self { broken: Arc::default(), calls: Arc::default(), gate: Arc::new(Semaphore::new(1)) }
    }

    fn breaks_over(&self, subject: Id) {
        self.broken.lock().unwrap().insert(subject);
    }

    fn heals(&self) {
        self.broken.lock().unwrap().clear();
    }

    /// How often it was asked for the effect of this event.
    fn calls(&self, event: Id) -> usize {
        self.calls.lock().unwrap().get(&event).copied().unwrap_or(0)
    }
}

impl Consumer for Copier {
    const NAME: &'static str = "tests.copier";
    const TYPES: &'static [&'static str] = &[CUSTOMER_CREATED, CUSTOMER_UPDATED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let _open = self.gate.acquire().await.expect("it is never closed");
        let mut unit = Unit::default();
        let mut copies: HashMap<Id, (i64, Customer)> = HashMap::new();
        for event in events {
            *self.calls.lock().unwrap().entry(event.event.id).or_default() += 1;
            if self.broken.lock().unwrap().contains(&event.event.subject) {
                return Err(EffectError::Event("it breaks over this one".to_owned()));
            }
            let CustomerPayload { customer, .. } = event.payload()?;
            unit.writes.push(activity_write(event.event.id, customer.id));
            let before = copies.get(&customer.id).map_or(customer.version - 1, |(before, _)| *before);
            copies.insert(customer.id, (before, customer));
        }
        for (before, Customer { id, version, name, owner_id, deleted_at, .. }) in copies.into_values() {
            let copy = CustomerReplica { id, version, name, owner_id, deleted_at };
            unit.writes.push(Write::put(&SALES_CUSTOMERS, id, &copy).expecting(before));
        }
        Ok(unit)
    }
}

/// Commits a version of a customer; answers its event's id.
async fn publish(node: &Node, customer: &Customer) -> Id {
    let events = node.journal.commit(customer_unit(customer)).await.expect("a commit");
    events[0].event.id
}

async fn copied(db: &Db, id: Id) -> i64 {
    let copy = replicas::find(db, &SALES_CUSTOMERS, id).await.unwrap();
    copy.map_or(0, |copy| copy.version)
}

async fn parked(db: &Db) -> Vec<Parked> {
    cursors::parked(db, Copier::NAME, 100).await.unwrap()
}

/// How many events the cursors say were applied or parked.
async fn applied(db: &Db) -> i64 {
    cursors::load(db, Copier::NAME).await.unwrap().iter().map(|cursor| cursor.applied).sum()
}

/// Another aggregate's events take effect: two, so that the feed has looked at its retries in between.
async fn others_flow_on(node: &Node) {
    for _ in 0..2 {
        let other = customer("other");
        publish(node, &other).await;
        eventually(WITHIN, async || copied(&node.db, other.id).await == 1).await;
    }
}

/// The first parked event, once it has been tried so often.
async fn tried(node: &Node, attempts: i64) -> Parked {
    eventually(WITHIN, async || {
        parked(&node.db).await.into_iter().next().filter(|one| one.attempts == attempts)
    })
    .await
}

/// Moves the clock to the moment the event is due, and no attempt comes a microsecond earlier.
async fn becomes_due(node: &Node, copier: &Copier, parked: &Parked) {
    let microsecond = Duration::from_micros(1);
    let calls = copier.calls(parked.event_id);
    node.clock.advance(parked.next_attempt_at.since(node.clock.now()) - microsecond);
    others_flow_on(node).await;
    assert_eq!(copier.calls(parked.event_id), calls, "tried before its time");
    node.clock.advance(microsecond);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_event_is_retried_at_the_seeds_spacing_and_then_a_dead_letter(#[case] on: Database) {
    run(on, async |site| {
        let (node, copier) = (site.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        let event = publish(&node, &one).await;
        for (n, wait) in SPACING.into_iter().enumerate() {
            let parked = tried(&node, n as i64).await;
            assert_eq!((parked.status, parked.event_id), (ParkedStatus::Retrying, event));
            let waits = parked.next_attempt_at.since(node.clock.now());
            let wait = Duration::from_millis(wait);
            assert!(waits <= wait && waits >= wait.mul_f64(0.799), "retry {n} comes after {waits:?}");
            let calls = copier.calls(event);
            becomes_due(&node, &copier, &parked).await;
            eventually(WITHIN, async || copier.calls(event) == calls + 1).await;
        }
        let dead = tried(&node, 8).await;
        assert_eq!((dead.status, dead.error.as_str()), (ParkedStatus::Dead, "it breaks over this one"));
        let (calls, later) = (copier.calls(event), renamed(&one, "later"));
        publish(&node, &later).await;
        node.clock.advance(Duration::from_secs(3_600));
        others_flow_on(&node).await;
        assert_eq!(copier.calls(event), calls, "a dead letter rests");
        let states: Vec<ParkedStatus> = parked(&node.db).await.iter().map(|parked| parked.status).collect();
        assert_eq!(states, [ParkedStatus::Dead, ParkedStatus::Waiting]);
        assert_eq!(copied(&node.db, one.id).await, 0);
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn what_failed_twice_is_applied_once_and_before_what_came_later(#[case] on: Database) {
    run(on, async |site| {
        let (node, copier) = (site.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        let (two, three) = (renamed(&one, "two"), renamed(&renamed(&one, "two"), "three"));
        for attempts in 0..2 {
            let parked = tried(&node, attempts).await;
            becomes_due(&node, &copier, &parked).await;
        }
        let first = tried(&node, 2).await;
        publish(&node, &two).await;
        publish(&node, &three).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 3).await;
        let waiting = parked(&node.db).await;
        let states: Vec<_> = waiting.iter().map(|parked| (parked.status, parked.attempts)).collect();
        let behind = (ParkedStatus::Waiting, 0);
        assert_eq!(states, [(ParkedStatus::Retrying, 2), behind, behind]);
        assert_eq!(copied(&node.db, one.id).await, 0, "nothing overtakes");
        copier.heals();
        becomes_due(&node, &copier, &first).await;
        eventually(WITHIN, async || copied(&node.db, one.id).await == 3).await;
        assert!(parked(&node.db).await.is_empty());
        assert_eq!(log::activity_count(&node.db, one.id).await.unwrap(), 3);
        publish(&node, &renamed(&three, "four")).await;
        eventually(WITHIN, async || copied(&node.db, one.id).await == 4).await;
        assert_eq!(applied(&node.db).await, count(&node.db, "events").await);
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn parked_events_keep_their_turn_across_a_restart(#[case] on: Database) {
    run(on, async |site| {
        let (node, copier) = (site.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        publish(&node, &renamed(&one, "two")).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 2).await;
        drop(node);
        let (node, healthy) = (site.node().await, Copier::new());
        publish(&node, &renamed(&renamed(&one, "two"), "three")).await;
        node.feed(healthy, 100);
        eventually(WITHIN, async || parked(&node.db).await.len() == 3).await;
        assert_eq!(copied(&node.db, one.id).await, 0);
        node.clock.advance(Duration::from_secs(1));
        eventually(WITHIN, async || copied(&node.db, one.id).await == 3).await;
        assert!(parked(&node.db).await.is_empty());
        assert_eq!(count(&node.db, "customer_activity").await, 3);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_slow_subscriber_loses_deliveries_and_misses_nothing(#[case] on: Database) {
    run(on, async |site| {
        let (node, copier) = (site.node().await, Copier::new());
        node.feed(copier.clone(), 2);
        others_flow_on(&node).await;
        let filter = Filter(vec!["customer.".to_owned()]);
        let mut sluggish = node.registry.subscribe(filter, 2).await.unwrap();
        // The consumer stands still during the burst: its queue of two deliveries must run over.
        let standstill = copier.gate.acquire().await.unwrap();
        let made: Vec<Customer> = (0..500).map(|n| customer(&n.to_string())).collect();
        join_all(made.iter().map(|one| publish(&node, one))).await;
        join_all(made.iter().map(|one| async { publish(&node, &renamed(one, "again")).await })).await;
        let mut delivered = 0;
        while let Ok(batch) = sluggish.try_recv() {
            delivered += batch.events.len();
        }
        assert!(delivered <= 2 * 10, "{delivered} events were delivered to who did not take them");
        drop(standstill);
        eventually(WITHIN * 3, async || match applied(&node.db).await {
            1_002 => Ok(()),
            applied => Err(format!("{applied} applied")),
        })
        .await;
        assert_eq!(count(&node.db, "customer_activity").await, 1_002, "each exactly once");
        for one in &made {
            assert_eq!(copied(&node.db, one.id).await, 2);
        }
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn two_nodes_apply_each_event_once_between_them(#[case] on: Database) {
    run(on, async |site| {
        let node = site.node().await;
        let other = if on == Postgres { site.node().await } else { site.node_on(node.db.clone()) };
        node.feed(Copier::new(), 20);
        other.feed(Copier::new(), 20);
        let made: Vec<Customer> = (0..100).map(|n| customer(&n.to_string())).collect();
        join_all(made.iter().enumerate().map(|(n, one)| publish([&node, &other][n % 2], one))).await;
        eventually(WITHIN * 3, async || match applied(&node.db).await {
            100 => Ok(()),
            applied => Err(format!("{applied} applied")),
        })
        .await;
        assert_eq!(count(&node.db, "customer_activity").await, 100);
        assert!(parked(&node.db).await.is_empty());
    });
}
