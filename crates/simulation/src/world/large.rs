//! A cluster of many nodes in which nothing goes wrong but that some die: who works, how long work stands still, and what
//! nodes exchange with Redis and the database. The figures of `docs/scale.md`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::event::PARTITIONS;
use tokio::time::sleep;

use crate::database::server::{Changed, Traffic};
use crate::ledger::service::LEDGER;
use crate::model::Violation;
use crate::time;
use crate::world::node::Node;
use crate::world::plan::{Ask, Moment, Plan, Request};
use crate::world::run::{World, in_world};

/// By then every node knows all others.
const GATHERED: Moment = 10_000;
/// How long the cluster is looked at without requests, with requests, and after each death.
const PHASE: Moment = 20_000;
const BUSY: Moment = GATHERED + PHASE;
const FIRST_DEATH: Moment = BUSY + PHASE;
const MORE_DEATHS: Moment = FIRST_DEATH + PHASE;
const END: Moment = MORE_DEATHS + PHASE;
/// So many accounts spread over all partitions.
const ACCOUNTS: usize = 200;
/// How long it takes to open them.
const ALL_OPEN: Moment = 1_000;
/// How far requests are apart: fifty a second.
const ADD_EVERY: Moment = 20;
/// One in so many nodes dies at once, at the end: of those that work.
const DIES_OF: usize = 10;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a cluster has shown.
#[derive(Clone, Debug)]
pub struct Figures {
    pub nodes: usize,
    /// Nodes that work for consumers, and partitions of the busiest one.
    pub working: usize,
    pub most: usize,
    /// Partitions of others that moved when the busiest node died.
    pub moved: usize,
    /// How long after its death the last node knew of it.
    pub noticed: Duration,
    /// The longest time from an event to its last effect: with all nodes, after one death, after a tenth of the nodes died.
    pub delays: [Duration; 3],
    /// A second without requests, of all nodes together.
    pub database_at_rest: Traffic,
    pub redis_at_rest: Traffic,
    /// Events a second with requests.
    pub events: f64,
    /// A second with requests, of all nodes together, beyond what goes at rest.
    pub database: Traffic,
    pub redis: Traffic,
}

/// When events were committed, and when they last took effect.
#[derive(Default)]
struct Times {
    committed: HashMap<String, i64>,
    effective: HashMap<String, i64>,
}

impl Times {
    fn commit(&mut self, changed: &[Changed]) {
        for change in changed {
            match change.table {
                "events" => _ = self.committed.insert(change.text("id"), time::elapsed()),
                "effects" => _ = self.effective.insert(change.text("event_id"), time::elapsed()),
                _ => {}
            }
        }
    }

    /// Events of this time, with how long each took to its last effect, in microseconds.
    fn between(&self, from: Moment, to: Moment) -> impl Iterator<Item = i64> {
        let (from, to) = (from as i64 * 1_000, to as i64 * 1_000);
        let of = self.committed.iter().filter(move |(_, at)| (from..to).contains(*at));
        of.map(|(id, at)| self.effective.get(id).map_or(0, |effective| effective - at))
    }

    fn longest(&self, from: Moment, to: Moment) -> Duration {
        Duration::from_micros(self.between(from, to).max().unwrap_or(0) as u64)
    }
}

fn plan(nodes: usize) -> Plan {
    let request = |at, ask| Request { at, ask, has_key: true, is_left_out: false };
    let open = |account| request(BUSY + account as Moment, Ask::Open { account, amount: 1 });
    let add = |(number, at)| request(at, Ask::Add { account: number % ACCOUNTS, amount: 1, note: None });
    let adds = (BUSY + ALL_OPEN..END).step_by(ADD_EVERY as usize).enumerate().map(add);
    Plan {
        seed: nodes as u64,
        is_told: false,
        nodes,
        is_cluster: true,
        has_redis: true,
        has_front: false,
        stubborn: 0,
        accounts: ACCOUNTS,
        children: 2 * ACCOUNTS,
        requests: (0..ACCOUNTS).map(open).chain(adds).collect(),
        faults: Vec::new(),
    }
}

/// Watches a cluster of so many nodes, at least three.
///
/// # Errors
///
/// A promise that was broken.
pub fn figures(nodes: usize) -> Result<Figures, Violation> {
    in_world(&plan(nodes), async |world| {
        let times = Arc::new(Mutex::new(Times::default()));
        let (seen, model) = (times.clone(), world.model.clone());
        world.server.observe(Box::new(move |changed| {
            seen.lock().expect("no panic under this lock").commit(changed);
            model.commit(changed);
        }));
        let watched = watch(&world, &times);
        let (figures, ()) = tokio::join!(watched, world.be_busy());
        world.come_to_rest().await;
        let violation = world.model.state().violation.clone();
        let times = times.lock().expect("no panic under this lock");
        let delays = [(BUSY, FIRST_DEATH), (FIRST_DEATH, MORE_DEATHS), (MORE_DEATHS, END)];
        let delays = delays.map(|(from, to)| times.longest(from, to));
        violation.map_or(Ok(Figures { delays, ..figures }), Err)
    })
}

async fn watch(world: &World, times: &Mutex<Times>) -> Figures {
    until(GATHERED).await;
    let gathered = Exchanged::until_now(world);
    let owners = owners(world);
    let mut shares = BTreeMap::<&str, usize>::new();
    owners.iter().for_each(|owner| *shares.entry(owner).or_default() += 1);
    let (busiest, most) = shares.iter().max_by_key(|(_, share)| **share).expect("a node that works");
    until(BUSY).await;
    let rested = Exchanged::until_now(world);
    until(FIRST_DEATH).await;
    let busy = Exchanged::until_now(world);
    let place = place_of(world, busiest).expect("a living node");
    world.kill(place);
    let noticed = until_noticed(world, busiest).await;
    let after = self::owners(world);
    let moved = owners.iter().zip(&after).filter(|(was, is)| was != busiest && was != is).count();
    until(MORE_DEATHS).await;
    let mut dying = self::owners(world);
    dying.sort();
    dying.dedup();
    dying.truncate((world.plan.nodes / DIES_OF).max(1));
    dying.iter().filter_map(|id| place_of(world, id)).for_each(|place| world.kill(place));
    until(END).await;
    let events = times.lock().expect("no panic under this lock").between(BUSY, FIRST_DEATH).count();
    let at_rest = rested.since(&gathered);
    let with_requests = busy.since(&rested);
    Figures {
        nodes: world.plan.nodes,
        working: shares.len(),
        most: *most,
        moved,
        noticed,
        delays: [Duration::ZERO; 3],
        database_at_rest: at_rest.database,
        redis_at_rest: at_rest.redis,
        events: events as f64 / PHASE as f64 * 1_000.0,
        database: less(with_requests.database, at_rest.database, 1),
        redis: less(with_requests.redis, at_rest.redis, 1),
    }
}

/// Waits until this moment of the world.
async fn until(moment: Moment) {
    sleep(Duration::from_millis(moment).saturating_sub(Duration::from_micros(time::elapsed() as u64))).await;
}

fn living(world: &World) -> impl Iterator<Item = Node> {
    (0..world.places()).filter_map(|place| world.at(place))
}

/// The node that works on each partition, as the first living node knows it.
fn owners(world: &World) -> Vec<String> {
    let known = living(world).next().map(|node| node.members.now()).unwrap_or_default();
    let owner = |partition| known.owner(Some(LEDGER), partition).map(|owner| owner.id.clone());
    (0..PARTITIONS).filter_map(owner).collect()
}

fn place_of(world: &World, id: &str) -> Option<usize> {
    (0..world.places()).find(|place| world.at(*place).is_some_and(|node| node.members.node().id == id))
}

/// Waits until every living node knows that this one is dead; returns how long that took.
async fn until_noticed(world: &World, id: &str) -> Duration {
    let died = time::elapsed();
    let knows = |node: &Node| node.members.now().0.iter().any(|member| member.id == id);
    while living(world).any(|node| knows(&node)) {
        sleep(LOOK_EVERY).await;
    }
    Duration::from_micros((time::elapsed() - died) as u64)
}

/// What was exchanged until a moment.
struct Exchanged {
    database: Traffic,
    redis: Traffic,
}

impl Exchanged {
    fn until_now(world: &World) -> Self {
        Self { database: world.server.traffic(), redis: world.redis.traffic() }
    }

    /// A second's share of what was exchanged in a phase.
    fn since(&self, before: &Self) -> Self {
        let seconds = PHASE / 1_000;
        Self {
            database: less(self.database, before.database, seconds),
            redis: less(self.redis, before.redis, seconds),
        }
    }
}

/// The difference, divided.
fn less(one: Traffic, other: Traffic, by: u64) -> Traffic {
    let difference = |one: u64, other: u64| one.saturating_sub(other) / by;
    Traffic { requests: difference(one.requests, other.requests), sent: difference(one.sent, other.sent) }
}
