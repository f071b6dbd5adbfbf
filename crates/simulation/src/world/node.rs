//! A process of the world, put together of the real actors, as `src/app` does it.

use std::sync::Arc;
use std::time::Duration;

use kernel::event::Catalogue;
use runtime::arbiters::Arbiters;
use runtime::breaker::{BreakerActor, BreakerSettings, CircuitBreaker, Shared};
use runtime::cluster::lease::{LeaseActor, MembershipHandle};
use runtime::cluster::members::{Hosts, Members};
use runtime::cluster::reader::{ReaderActor, ReaderParts};
use runtime::cluster::relay::RelayActor;
use runtime::cluster::trimmer::TrimmerActor;
use runtime::consumer::{ConsumerActor, ConsumerParts};
use runtime::entity::{Entities, EntityLimits, EntityParts};
use runtime::journal::{Journal, JournalLimits};
use runtime::registry::Registry;
use runtime::remote::caller::{Calls, Remote, RepliesActor};
use runtime::remote::responder::{HostedServices, Responder, ResponderActor};
use runtime::retry::Backoff;
use runtime::schedule::Schedule;
use runtime::scheduler::{Job, SchedulerActor, SchedulerParts};
use runtime::service::{Local, Service};
use runtime::stats::ActorStatsRegistry;
use runtime::supervisor::{Intensity, Supervisor};
use sqlx::migrate::Migrator;
use store::Db;
use store::redis::Redis;
use store::settings::Schema;

use crate::database::way::{Way, database};
use crate::ledger::EVENTS;
use crate::ledger::consumers::{Copies, Movements, Stubborn, Tally};
use crate::ledger::service::{LEDGER, Ledger};
use crate::process::Process;
use crate::time;
use crate::world::readers;
use crate::world::run::World;

/// The tables are there: no migration runs.
static NO_MIGRATIONS: Migrator = Migrator::DEFAULT;
const SCHEMA: Schema =
    Schema { sqlite: &NO_MIGRATIONS, postgres: &NO_MIGRATIONS, events: Catalogue(&EVENTS) };

/// What seals the messages of the nodes.
const SECRET: &[u8] = b"a secret of a simulated cluster";
/// How long a service takes at most.
const DEADLINE: Duration = Duration::from_secs(10);
/// The interval of the world's one job.
const CHIME_EVERY: Duration = Duration::from_secs(2);
const RETRY: Backoff =
    Backoff { initial: Duration::from_millis(100), factor: 2.0, max: Duration::from_secs(2), times: 3 };

/// A running process.
#[derive(Clone)]
pub struct Node {
    pub process: Process,
    /// Its way to the database.
    pub way: u64,
    pub ledger: Service<Ledger>,
    pub db: Db,
    pub members: Members,
    membership: Option<MembershipHandle>,
    supervisor: Supervisor,
}

/// What the parts of a node are made of.
struct Parts {
    db: Db,
    redis: Option<Redis>,
    members: Members,
    supervisor: Supervisor,
    arbiters: Arbiters,
    registry: Registry,
    journal: Journal,
    entities: EntityParts,
}

impl Node {
    /// Starts a process at this place of the world.
    pub fn start(world: &World, place: usize) -> Self {
        let way = world.next_way();
        let process = Process::default();
        let to_database = Way::new(world.server.clone(), process.clone(), way, world.weather.clone());
        let db = Db::simulated(database(to_database), SCHEMA);
        let redis = world.plan.has_redis.then(|| {
            let to_redis = crate::redis::way::Way::to(&world.redis, &process, &world.weather);
            Redis::simulated(to_redis, world.cluster, &[SECRET.to_vec()])
        });
        let clock = time::clock_of(place);
        let name = world.plan.is_cluster.then(|| format!("node-{place}"));
        let services: &[_] = if world.plan.has_front && place == 0 { &[] } else { &[LEDGER] };
        let node = Arc::new(runtime::cluster::node::Node::new(name, services, clock.now()));
        let members = if world.plan.is_cluster { Members::joining(node) } else { Members::alone(node) };
        let (actor_stats, arbiters) = (ActorStatsRegistry::default(), Arbiters::here());
        let supervisor = Supervisor::start(actor_stats.clone(), Intensity::default());
        let registry = Registry::start(&supervisor, &arbiters.serving());
        let limits = JournalLimits { group: 4, queue: 1_000, ..JournalLimits::default() };
        let journal = Journal::start(&supervisor, &arbiters.serving(), db.clone(), registry.clone(), limits);
        let entities = EntityParts {
            db: db.clone(),
            journal: journal.clone(),
            clock,
            arbiters: arbiters.clone(),
            actor_stats,
            limits: EntityLimits {
                children: world.plan.children,
                cached: 32,
                deadline: DEADLINE,
                ..EntityLimits::default()
            },
            intensity: Intensity::default(),
            shared: world.plan.is_cluster,
        };
        let parts = Parts { db, redis, members, supervisor, arbiters, registry, journal, entities };
        parts.assemble(world, process, way)
    }

    /// Ends the membership, and says when the process may end.
    pub async fn leave(&self) {
        if let Some(membership) = &self.membership {
            membership.leave().await;
        }
    }

    /// The process dies.
    pub fn kill(&self, world: &World) {
        self.process.kill();
        self.supervisor.stop();
        world.server.cut_off(self.way);
    }
}

impl Parts {
    fn assemble(self, world: &World, process: Process, way: u64) -> Node {
        let ledger = Arc::new(Ledger {
            accounts: Entities::new(self.entities.clone()),
            transfers: Entities::new(self.entities.clone()),
            notes: Entities::new(self.entities.clone()),
        });
        let local =
            Local::start(&self.supervisor, "ledger", &self.arbiters.serving(), DEADLINE, ledger.clone());
        self.start_consumers(&ledger, world.plan.stubborn, &world.stubborn);
        self.start_scheduler(world);
        let mut handle = Service::Local(local.clone());
        if let Some(redis) = &self.redis {
            let calls = self.start_calls(redis, &local);
            self.start_relay(redis);
            if !self.members.node().hosts(LEDGER) {
                handle = Service::Remote(Remote::new(calls.clone(), self.breaker(calls)));
            }
        }
        let membership = world.plan.is_cluster.then(|| self.join());
        readers::start(world, &self.registry, &self.db);
        let Self { db, members, supervisor, .. } = self;
        Node { process, way, ledger: handle, db, members, membership, supervisor }
    }

    /// What nodes ask each other.
    fn start_calls(&self, redis: &Redis, local: &Local<Ledger>) -> Calls {
        let calls = Calls::new(redis.clone(), self.members.clone());
        let replies = calls.clone();
        self.supervisor.spawn("cluster.replies", &self.arbiters.serving(), move |liveness, stats| {
            RepliesActor::new(replies.clone(), liveness, stats)
        });
        let mut hosted = HostedServices::default();
        if self.members.node().hosts(LEDGER) {
            hosted.add(local);
        }
        let responder = Responder::new(redis.clone(), self.members.clone(), hosted);
        self.supervisor.spawn("cluster.responder", &self.arbiters.serving(), move |liveness, stats| {
            ResponderActor::new(responder.clone(), liveness, stats)
        });
        calls
    }

    fn breaker(&self, calls: Calls) -> CircuitBreaker {
        let settings = BreakerSettings { reset: Duration::from_secs(4), ..BreakerSettings::default() };
        let (timeout, clock) = (settings.timeout, self.entities.clock.clone());
        let hosts = Hosts::new(self.members.clone(), LEDGER);
        let shared = Shared::new("breaker.ledger", settings.capacity);
        let parts = shared.clone();
        let actor = self.supervisor.spawn("breaker.ledger", &self.arbiters.serving(), move |liveness, _| {
            BreakerActor::new(parts.clone(), settings.clone(), clock.clone(), hosts.clone(), liveness)
        });
        CircuitBreaker::new(actor, shared, timeout, Arc::new(move || calls.can_be_sent(LEDGER)))
    }

    /// What nodes tell each other of their events.
    fn start_relay(&self, redis: &Redis) {
        let (supervisor, here) = (&self.supervisor, self.arbiters.feeding());
        let incarnation = self.members.node().incarnation;
        let (to, registry) = (redis.clone(), self.registry.clone());
        supervisor.spawn("cluster.relay", &here, move |liveness, stats| {
            RelayActor::new(to.clone(), registry.clone(), incarnation, liveness, stats)
        });
        let (db, registry) = (self.db.clone(), self.registry.clone());
        let parts = ReaderParts { db: db.clone(), redis: redis.clone(), registry, incarnation };
        supervisor.spawn("cluster.reader", &here, move |liveness, stats| {
            ReaderActor::new(parts.clone(), liveness, stats)
        });
        let (redis, members) = (redis.clone(), self.members.clone());
        supervisor.spawn("cluster.trimmer", &here, move |liveness, stats| {
            TrimmerActor::new(db.clone(), redis.clone(), members.clone(), liveness, stats)
        });
    }

    fn start_consumers(&self, ledger: &Arc<Ledger>, one_in: u64, stubborn: &Stubborn) {
        let parts = ConsumerParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            registry: self.registry.clone(),
            members: self.members.clone(),
            clock: self.entities.clock.clone(),
            retry: RETRY,
            batch: 8,
            poll: Duration::from_millis(700),
            parking: 20,
        };
        let (supervisor, here) = (&self.supervisor, self.arbiters.feeding());
        let movements = Movements { accounts: ledger.accounts.clone(), transfers: ledger.transfers.clone() };
        ConsumerActor::start(supervisor, &here, parts.clone(), movements);
        let tally = Tally { one_in, stubborn: stubborn.clone() };
        ConsumerActor::start(supervisor, &here, parts.clone(), tally);
        ConsumerActor::start(supervisor, &here, parts, Copies);
    }

    fn start_scheduler(&self, world: &World) {
        let model = world.model.clone();
        let work = Arc::new(move || {
            model.job_ran();
            Box::pin(std::future::ready(Ok(()))) as _
        });
        let job = Job { name: "ledger.chime", schedule: Schedule::Every(CHIME_EVERY), work };
        let parts = SchedulerParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.entities.clock.clone(),
        };
        self.supervisor.spawn("scheduler", &self.arbiters.feeding(), move |liveness, stats| {
            SchedulerActor::new(parts.clone(), vec![job.clone()], liveness, stats)
        });
    }

    fn join(&self) -> MembershipHandle {
        let membership = MembershipHandle::default();
        let (db, members, ends) = (self.db.reserved(), self.members.clone(), membership.clone());
        self.supervisor.spawn("cluster.lease", &self.arbiters.feeding(), move |liveness, stats| {
            LeaseActor::new(db.clone(), members.clone(), ends.clone(), liveness, stats)
        });
        membership
    }
}
