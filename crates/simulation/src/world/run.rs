//! Carries out a plan.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use history::record::{RecordOperation, check_record};
use kernel::ids::{Id, new_id};
use kernel::{clock::Timestamp, simulation};
use runtime::consumer::parking::{redriven, replacing};
use store::journal;
use store::unit_of_work::UnitOfWork;
use tokio::time::{sleep, timeout};

use crate::chance;
use crate::database::server::Server;
use crate::ledger::consumers::Stubborn;
use crate::ledger::tables;
use crate::model::{Model, Violation, broken};
use crate::redis;
use crate::time;
use crate::weather::{Conditions, Weather};
use crate::world::node::Node;
use crate::world::plan::{Ask, NOTES, Plan};
use crate::world::readers::all_parked;
use crate::world::{breaker_walk, client, faults};

/// How long a world may take to come to rest when nothing goes wrong any more.
const REST_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A world; clones are the same one.
#[derive(Clone)]
pub struct World(Rc<Inner>);

pub struct Inner {
    pub plan: Plan,
    pub server: Server,
    pub redis: redis::server::Server,
    /// Its id, for what the nodes exchange.
    pub cluster: Id,
    pub weather: Weather,
    pub model: Model,
    pub stubborn: Stubborn,
    pub accounts: Vec<Id>,
    pub notes: Vec<Id>,
    pub histories: Mutex<BTreeMap<Id, Vec<RecordOperation>>>,
    nodes: Mutex<Vec<Option<Node>>>,
    ways: Cell<u64>,
}

impl std::ops::Deref for World {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What came of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub violation: Option<Violation>,
    /// The hash of all that has happened.
    pub trace: u64,
    pub commits: u64,
    pub events: usize,
    /// How long it took by its own clock.
    pub lasted: Duration,
}

/// The plan of a seed.
pub fn plan_of(seed: u64) -> Plan {
    simulation::begin(seed);
    let plan = Plan::draw(seed);
    simulation::end();
    plan
}

/// Carries out a plan from its beginning to its rest, or to the first broken promise.
pub fn run(plan: &Plan) -> Outcome {
    in_world(plan, World::live)
}

/// Makes the world of a plan on a clock of its own, and has something done with it.
pub(super) fn in_world<T>(plan: &Plan, done: impl AsyncFnOnce(World) -> T) -> T {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().start_paused(true).build().expect("a runtime without threads")
    };
    // Another seed than the plan's, or both would draw the same.
    simulation::begin(plan.seed ^ 0x5eed_5eed_5eed_5eed);
    let system = actix::System::with_tokio_rt(runtime);
    let outcome = system.block_on(async {
        time::begin();
        done(World::new(plan.clone())).await
    });
    drop(system);
    simulation::end();
    outcome
}

impl World {
    fn new(plan: Plan) -> Self {
        let (server, weather, model) = (tables::server(), Weather::default(), Model::default());
        weather.set(Conditions::FAIR);
        model.state().is_told = plan.is_told;
        let observer = model.clone();
        server.observe(Box::new(move |changed| observer.commit(changed)));
        Self(Rc::new(Inner {
            accounts: (0..plan.accounts).map(|_| new_id()).collect(),
            plan,
            server,
            redis: redis::server::Server::default(),
            cluster: new_id(),
            weather,
            model,
            stubborn: Stubborn::default(),
            notes: (0..NOTES).map(|_| new_id()).collect(),
            histories: Mutex::default(),
            nodes: Mutex::default(),
            ways: Cell::new(0),
        }))
    }

    async fn live(self) -> Outcome {
        self.model.expect(breaker_walk::walk());
        let lived = async {
            self.be_busy().await;
            self.come_to_rest().await;
        };
        tokio::select! {
            biased;
            () = self.model.until_violated() => {}
            () = lived => {}
        }
        let state = self.model.state();
        Outcome {
            violation: state.violation.clone(),
            trace: state.trace_hash(),
            commits: state.commits,
            events: state.log.events.len(),
            lasted: Duration::from_micros(time::elapsed() as u64),
        }
    }

    /// Until the last request was answered and the last fault is over.
    pub(super) async fn be_busy(&self) {
        (0..self.plan.nodes).for_each(|place| self.start(place));
        let mut tasks = Vec::new();
        let requests = self.plan.requests.iter().cloned().enumerate();
        for (number, request) in requests.filter(|(_, request)| !request.is_left_out) {
            let world = self.clone();
            tasks.push(actix::spawn(async move {
                sleep(Duration::from_millis(request.at)).await;
                client::ask(world, number, request).await;
            }));
        }
        for (at, fault) in self.plan.faults.iter().cloned() {
            let world = self.clone();
            tasks.push(actix::spawn(async move {
                sleep(Duration::from_millis(at)).await;
                faults::bring_about(world, fault).await;
            }));
        }
        for task in tasks {
            let _ = task.await;
        }
    }

    /// Nothing goes wrong any more: whatever was begun must end.
    pub(super) async fn come_to_rest(&self) {
        (0..self.places()).for_each(|place| time::set_wrong(place, 0));
        (0..self.plan.nodes).filter(|place| self.at(*place).is_none()).for_each(|place| self.start(place));
        let rested = async {
            while !self.model.is_settled() {
                sleep(LOOK_EVERY).await;
                self.redrive().await;
            }
        };
        let _ = timeout(REST_WITHIN, rested).await;
        self.model.finish();
        for (id, history) in self.histories.lock().expect("no panic under this lock").iter() {
            if let Err(why) = check_record(history) {
                self.model.expect(broken("histories are linearizable", format!("{id}: {why}")));
            }
        }
    }

    /// Has dead letters tried again, as an operator does.
    async fn redrive(&self) {
        let Some(node) = self.some_node() else { return };
        for letter in all_parked(&node.db).await {
            let Some(again) = redriven(&letter, Timestamp::from_micros(time::now())) else { continue };
            let unit = UnitOfWork { writes: vec![replacing(&letter, &again)], ..UnitOfWork::default() };
            // Whoever was faster has changed it.
            let _ = journal::commit(&node.db, vec![unit]).await;
        }
    }

    /// How many places for nodes there are.
    pub fn places(&self) -> usize {
        self.nodes().len()
    }

    fn nodes(&self) -> std::sync::MutexGuard<'_, Vec<Option<Node>>> {
        self.nodes.lock().expect("no panic under this lock")
    }

    pub fn next_way(&self) -> u64 {
        self.ways.set(self.ways.get() + 1);
        self.ways.get()
    }

    /// Starts a node at this place, if none is there.
    pub fn start(&self, place: usize) {
        if self.at(place).is_some() {
            return;
        }
        let node = Node::start(self, place);
        let mut nodes = self.nodes();
        if nodes.len() <= place {
            nodes.resize(place + 1, None);
        }
        nodes[place] = Some(node);
    }

    /// The node at this place.
    pub fn at(&self, place: usize) -> Option<Node> {
        self.nodes().get(place).cloned().flatten()
    }

    /// The node at this place, to which no client comes any more.
    pub fn take(&self, place: usize) -> Option<Node> {
        self.nodes().get_mut(place).and_then(Option::take)
    }

    pub fn kill(&self, place: usize) {
        if let Some(node) = self.take(place) {
            node.kill(self);
        }
    }

    /// One of the nodes that run; of those one in two requests goes to the front, if there is one.
    pub fn some_node(&self) -> Option<Node> {
        if self.plan.has_front && chance::below(2) == 0 {
            return self.at(0);
        }
        let nodes: Vec<Node> = self.nodes().iter().flatten().cloned().collect();
        (!nodes.is_empty()).then(|| chance::one_of(&nodes))
    }

    /// The record that a request is about.
    pub fn record_of(&self, ask: &Ask) -> Id {
        match ask {
            Ask::Open { account, .. } | Ask::Add { account, .. } | Ask::LookAtAccount { account } => {
                self.accounts[*account]
            }
            Ask::Transfer { source, .. } => self.accounts[*source],
            Ask::Create { note, .. }
            | Ask::Change { note, .. }
            | Ask::Erase { note }
            | Ask::LookAtNote { note } => self.notes[*note],
        }
    }
}
