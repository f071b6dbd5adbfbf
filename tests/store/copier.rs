//! A consumer that the tests control, and queries about it.

use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::customer::record::Customer;
use domain::customer::record::CustomerPayload;
use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED};
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kizuna::persistence::analytics::activity_write;
use kizuna::persistence::customer_replicas as replicas;
use kizuna::persistence::customer_replicas::{CustomerReplica, SALES_CUSTOMERS};
use runtime::consumer::{Consumer, EffectError};
use store::Db;
use store::cursors;
use store::cursors::Parked;
use store::unit_of_work::{UnitOfWork, Write};
use tokio::sync::Semaphore;

use crate::common::{customer, customer_unit};
use crate::node::Node;
use testing::eventually;

/// How long effects may take on a machine that runs other tests beside.
pub const WITHIN: Duration = Duration::from_secs(10);

/// Copies customers and notes each event. A row that comes a second time is refused, one that comes out of
/// order is stale, and parked.
#[derive(Clone)]
pub struct Copier {
    broken: Arc<Mutex<HashSet<Id>>>,
    calls: Arc<Mutex<HashMap<Id, usize>>>,
    /// The most events that it bears at once.
    most: Arc<AtomicUsize>,
    pub gate: Arc<Semaphore>,
}

impl Copier {
    pub fn new() -> Self {
        let most = Arc::new(AtomicUsize::new(usize::MAX));
        Self { broken: Arc::default(), calls: Arc::default(), most, gate: Arc::new(Semaphore::new(1)) }
    }

    pub fn breaks_over(&self, subject: Id) {
        self.broken.lock().unwrap().insert(subject);
    }

    pub fn heals(&self) {
        self.broken.lock().unwrap().clear();
    }

    /// From now on it is overloaded by more events than these at once.
    pub fn bears(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// How often it was asked for the effect of this event.
    pub fn calls(&self, event: Id) -> usize {
        self.calls.lock().unwrap().get(&event).copied().unwrap_or(0)
    }
}

impl Consumer for Copier {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "tests.copier";
    const TYPES: &'static [EventType] = &[CUSTOMER_CREATED, CUSTOMER_UPDATED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let _open = self.gate.acquire().await.expect("it is never closed");
        if events.len() > self.most.load(Ordering::Relaxed) {
            return Err(Error::overloaded().into());
        }
        let mut unit = UnitOfWork::default();
        let mut copies: HashMap<Id, (i64, Customer)> = HashMap::new();
        for event in events {
            *self.calls.lock().unwrap().entry(event.event.id).or_default() += 1;
            if self.broken.lock().unwrap().contains(&event.event.subject) {
                return Err(EffectError::Event("it breaks over this one".to_owned()));
            }
            let CustomerPayload { customer, .. } = event.payload()?;
            unit.writes.push(activity_write(event.event.id, customer.id, &[customer.owner_id]));
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
pub async fn publish(node: &Node, customer: &Customer) -> Id {
    let events = node.journal.commit(customer_unit(customer)).await.expect("a commit");
    events[0].event.id
}

pub async fn copied(db: &Db, id: Id) -> i64 {
    let copy = replicas::find(db, &SALES_CUSTOMERS, id).await.unwrap();
    copy.map_or(0, |copy| copy.version)
}

pub async fn parked(db: &Db) -> Vec<Parked> {
    cursors::parked(db, Copier::NAME, 100).await.unwrap()
}

/// How many events the cursors say were applied or parked.
pub async fn applied(db: &Db) -> i64 {
    cursors::load(db, Copier::NAME).await.unwrap().iter().map(|cursor| cursor.applied).sum()
}

/// Applies two events of another aggregate, so that the consumer has checked its retries in between.
pub async fn others_flow_on(node: &Node) {
    for _ in 0..2 {
        let other = customer("other");
        publish(node, &other).await;
        eventually(WITHIN, async || copied(&node.db, other.id).await == 1).await;
    }
}

/// The first parked event, once it has been tried so often.
pub async fn tried(node: &Node, attempts: i64) -> Parked {
    eventually(WITHIN, async || {
        parked(&node.db).await.into_iter().next().filter(|one| one.attempts == attempts)
    })
    .await
}

/// Moves the clock to the moment the event is due, and no attempt comes a microsecond earlier.
pub async fn becomes_due(node: &Node, copier: &Copier, parked: &Parked) {
    let microsecond = Duration::from_micros(1);
    let calls = copier.calls(parked.event_id);
    node.clock.advance(parked.next_attempt_at.since(node.clock.now()) - microsecond);
    others_flow_on(node).await;
    assert_eq!(copier.calls(parked.event_id), calls, "tried before its time");
    node.clock.advance(microsecond);
}
