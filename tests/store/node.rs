//! A node without its services: journal, registry, consumers and entities on a real database.

use std::sync::Arc;
use std::time::Duration;

use actix_rt::System;
use domain::service_name::ServiceName;
use kernel::clock::Clock;
use kizuna::persistence::SCHEMA;
use runtime::arbiters::Arbiters;
use runtime::cluster::members::Members;
use runtime::cluster::node::Node as Identity;
use runtime::consumer::{Consumer, ConsumerActor, ConsumerParts};
use runtime::entity::{Aggregate, Entities, EntityLimits, EntityParts};
use runtime::journal::{Journal, JournalActor, JournalLimits};
use runtime::registry::{Registry, RegistryActor};
use runtime::retry::Backoff;
use runtime::service::Local;
use runtime::stats::{ActorReading, ActorStatsRegistry};
use runtime::supervisor::{Intensity, Supervisor};
use store::Db;
use store::settings::DatabaseSettings;
use tokio::runtime::Handle;

use crate::common::begin;
use testing::{Database, TestDatabase};

/// Units of one transaction: small, so that many units are many commits.
const GROUP: usize = 10;

/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A database, a clock that the test moves, and the runtime that outlives actors.
pub struct Fixture {
    pub database: TestDatabase,
    pub clock: Clock,
    pub runtime: Handle,
}

/// Runs `body` within an actix system.
pub fn run(on: Database, body: impl AsyncFnOnce(&Fixture)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let clock = Clock::manual(begin());
    let fixture = Fixture { database: TestDatabase::fresh(on), clock, runtime: runtime.handle().clone() };
    System::new().block_on(body(&fixture));
    runtime.shutdown_timeout(Duration::from_secs(2));
}

/// A node. Its actors end when it is dropped.
pub struct Node {
    pub db: Db,
    pub journal: Journal,
    pub registry: Registry,
    pub actor_stats: ActorStatsRegistry,
    pub clock: Clock,
    supervisor: Supervisor,
    arbiters: Arbiters,
}

impl Fixture {
    /// A node with connections of its own.
    pub async fn node(&self) -> Node {
        let settings = DatabaseSettings { url: self.database.url.clone(), pool_size: 4 };
        let opened = self.runtime.spawn(async move {
            let db = Db::connect(&settings, SCHEMA).await?;
            db.migrate().await.map(|_| db)
        });
        let db = opened.await.expect("no panic").expect("a database that opens");
        self.node_on(db)
    }

    /// A node on these connections.
    pub fn node_on(&self, db: Db) -> Node {
        let actor_stats = ActorStatsRegistry::default();
        let supervisor = Supervisor::start(actor_stats.clone(), Intensity::default());
        let arbiters = Arbiters::start(2);
        let registry = Registry::new(supervisor.spawn("registry", &arbiters.feeding(), RegistryActor::new));
        let (writer, publisher) = (db.clone(), registry.clone());
        let journal = supervisor.spawn("journal", &arbiters.serving(), move |liveness, stats| {
            let limits = JournalLimits { group: GROUP, ..JournalLimits::default() };
            JournalActor::new(writer.clone(), publisher.clone(), limits, liveness, stats)
        });
        let (journal, clock) = (Journal::new(journal), self.clock.clone());
        Node { db, journal, registry, actor_stats, clock, supervisor, arbiters }
    }
}

impl Node {
    /// Starts a consumer with the default retries.
    pub fn feed<C: Consumer>(&self, consumer: C, batch: usize) {
        self.feed_within(consumer, batch, 10_000);
    }

    /// Starts a consumer that may park this many events.
    pub fn feed_within<C: Consumer>(&self, consumer: C, batch: usize, parking: usize) {
        let seconds = Duration::from_secs;
        let parts = ConsumerParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            registry: self.registry.clone(),
            members: Members::alone(Arc::new(Identity::new(
                None,
                &ServiceName::ALL.map(ServiceName::id),
                self.clock.now(),
            ))),
            clock: self.clock.clone(),
            retry: Backoff { initial: seconds(1) / 10, factor: 2.0, max: seconds(30), times: 8 },
            batch,
            poll: Duration::from_millis(50),
            parking,
        };
        let consumer = Arc::new(consumer);
        self.supervisor.spawn(C::NAME, &self.arbiters.feeding(), move |liveness, stats| {
            ConsumerActor::new(parts.clone(), consumer.clone(), liveness, stats)
        });
    }

    /// Starts the actor of a service.
    pub fn service<D: Send + Sync + 'static>(&self, service: D) -> Local<D> {
        Local::start(&self.supervisor, "service", &self.arbiters.serving(), DEADLINE, Arc::new(service))
    }

    /// A directory without cached states.
    pub fn entities<A: Aggregate>(&self, children: usize, idle: Duration) -> Entities<A> {
        Entities::new(self.parts(EntityLimits { children, idle, cached: 0, deadline: DEADLINE }))
    }

    /// A directory that shares the database with other nodes, with cached states.
    pub fn shared<A: Aggregate>(&self) -> Entities<A> {
        Entities::new(self.shared_parts())
    }

    /// The parts of such a directory.
    pub fn shared_parts(&self) -> EntityParts {
        let limits = EntityLimits {
            children: 1_000,
            idle: Duration::from_secs(60),
            cached: 1_000,
            deadline: DEADLINE,
        };
        EntityParts { shared: true, ..self.parts(limits) }
    }

    fn parts(&self, limits: EntityLimits) -> EntityParts {
        EntityParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            arbiters: self.arbiters.clone(),
            actor_stats: self.actor_stats.clone(),
            limits,
            intensity: Intensity::default(),
            shared: false,
        }
    }

    /// The figures of an actor.
    pub fn reading(&self, name: &str) -> ActorReading {
        self.actor_stats
            .read()
            .into_iter()
            .find(|reading| reading.name == name)
            .expect("an actor of this name")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.supervisor.stop();
        self.arbiters.stop();
    }
}
