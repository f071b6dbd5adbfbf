//! What every service is made of.

use std::sync::Arc;
use std::time::Duration;

use crate::actors::guards::Guards;
use crate::actors::runtime::arbiters::Arbiters;
use crate::actors::runtime::call::{BreakerActor, Guard};
use crate::actors::runtime::cluster::lease::{Departure, LeaseActor};
use crate::actors::runtime::cluster::members::Members;
use crate::actors::runtime::cluster::node::Node;
use crate::actors::runtime::cluster::reader::{ReaderActor, ReaderParts};
use crate::actors::runtime::cluster::relay::RelayActor;
use crate::actors::runtime::cluster::trimmer::TrimmerActor;
use crate::actors::runtime::entity::{Aggregate, Entities, EntityLimits, EntityParts};
use crate::actors::runtime::feed::{Consumer, FeedActor, FeedParts};
use crate::actors::runtime::janitor::{JanitorActor, Sweep};
use crate::actors::runtime::journal::{Journal, JournalActor, JournalLimits};
use crate::actors::runtime::registry::{Registry, RegistryActor};
use crate::actors::runtime::scheduler::{Job, SchedulerActor, SchedulerParts};
use crate::actors::runtime::service::Service;
use crate::actors::runtime::stats::Board;
use crate::actors::runtime::supervisor::{Intensity, Supervisor};
use crate::actors::sales::client::SalesClient;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::idempotency::KEPT;
use crate::persistence::Db;
use crate::persistence::redis::Redis;

/// How long one command may take from its child's mailbox to its commit.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// How often a consumer looks at the log without having been told.
const FEED_POLL: Duration = Duration::from_secs(1);

/// What is shared while starting.
pub(super) struct Starter<'a> {
    pub config: &'a Config,
    pub clock: Clock,
    pub db: Db,
    pub registry: Registry,
    pub journal: Journal,
    pub guards: Guards,
    pub members: Members,
    /// Where a cluster's nodes meet; none on a node that is alone.
    pub redis: Option<Redis>,
    pub supervisor: Supervisor,
    pub arbiters: Arbiters,
    pub board: Board,
    /// Every consumer started so far, with the types it takes.
    pub consumers: Vec<(&'static str, &'static [&'static str])>,
    sweeps: Vec<Sweep>,
}

impl<'a> Starter<'a> {
    /// Starts what all services share: supervisor, registry, journal, breakers.
    pub fn begin(config: &'a Config, clock: &Clock, db: &Db, redis: Option<Redis>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (board, arbiters) = (Board::default(), Arbiters::start(cores));
        let supervisor = Supervisor::start(board.clone(), Intensity::default());
        let registry = Registry::new(supervisor.spawn("registry", &arbiters.feeding(), RegistryActor::new));
        let limits = JournalLimits {
            group: config.bounds.journal_group as usize,
            queue: config.bounds.journal_queue as usize,
        };
        let (writes_to, tells) = (db.clone(), registry.clone());
        let journal = supervisor.spawn("journal", &arbiters.serving(), move |life, stats| {
            JournalActor::new(writes_to.clone(), tells.clone(), limits.clone(), life, stats)
        });
        let guard = |name: &'static str| {
            let (settings, clock) = (config.resilience.breaker(), clock.clone());
            let timeout = settings.timeout;
            let breaker = supervisor.spawn(name, &arbiters.serving(), move |life, _| {
                BreakerActor::new(name, settings.clone(), clock.clone(), life)
            });
            Guard::new(breaker, timeout)
        };
        let guards = Guards {
            auth: guard("breaker.auth"),
            customer: guard("breaker.customer"),
            sales: guard("breaker.sales"),
            opportunity: guard("breaker.opportunity"),
            analytics: guard("breaker.analytics"),
        };
        let node = Node::new(config.cluster.node_id.clone(), &config.cluster.services, clock.now());
        let members = match redis {
            Some(_) => Members::joining(Arc::new(node)),
            None => Members::alone(Arc::new(node)),
        };
        Self {
            config,
            clock: clock.clone(),
            db: db.clone(),
            registry,
            journal: Journal::new(journal),
            guards,
            members,
            redis,
            supervisor,
            arbiters,
            board,
            consumers: Vec::new(),
            sweeps: Vec::new(),
        }
    }

    /// The directory of a kind of aggregate.
    pub fn entities<A: Aggregate>(&mut self) -> Entities<A> {
        let bounds = &self.config.bounds;
        let entities = Entities::<A>::new(EntityParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            arbiters: self.arbiters.clone(),
            board: self.board.clone(),
            limits: EntityLimits {
                children: bounds.max_children as usize,
                idle: bounds.child_idle,
                cached: bounds.cache_size,
                deadline: COMMAND_DEADLINE,
            },
            intensity: Intensity::default(),
        });
        let swept = entities.clone();
        self.sweeps.push(Arc::new(move || swept.sweep()));
        entities
    }

    /// The actor before a desk; `deadline` is how long it may take to answer.
    pub fn service<D: Send + Sync + 'static>(&self, name: &str, deadline: Duration, desk: D) -> Service<D> {
        Service::start(&self.supervisor, name, &self.arbiters.serving(), deadline, Arc::new(desk))
    }

    /// What the feeds of all consumers share.
    pub fn feed_parts(&self) -> FeedParts {
        FeedParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            registry: self.registry.clone(),
            members: self.members.clone(),
            clock: self.clock.clone(),
            retry: self.config.resilience.retry(),
            batch: self.config.bounds.feed_batch as usize,
            poll: FEED_POLL,
            parking: self.config.bounds.parking_limit as usize,
        }
    }

    /// Starts the feed of a consumer.
    pub fn feed<C: Consumer>(&mut self, parts: &FeedParts, consumer: C) {
        self.consumers.push((C::NAME, C::TYPES));
        let (parts, consumer) = (parts.clone(), Arc::new(consumer));
        let name = format!("feed.{}", C::NAME);
        self.supervisor.spawn(&name, &self.arbiters.feeding(), move |life, stats| {
            FeedActor::new(parts.clone(), consumer.clone(), life, stats)
        });
    }

    /// Starts the jobs that run at fixed times.
    pub fn scheduler(&self, sales: &SalesClient) {
        let (db, clock) = (self.db.clone(), self.clock.clone());
        let parts = SchedulerParts { db, journal: self.journal.clone(), clock };
        let sales = sales.clone();
        let due_alerts = Job {
            name: "sales.due_alerts",
            schedule: self.config.schedules.due_scan_every.clone(),
            work: Arc::new(move || {
                let sales = sales.clone();
                Box::pin(async move { sales.alert_due().await })
            }),
        };
        self.supervisor.spawn("scheduler", &self.arbiters.feeding(), move |life, stats| {
            SchedulerActor::new(parts.clone(), vec![due_alerts.clone()], life, stats)
        });
    }

    /// Starts what keeps everything within its bounds.
    pub fn janitor(&self) {
        let (db, clock, sweeps) = (self.db.clone(), self.clock.clone(), self.sweeps.clone());
        self.supervisor.spawn("janitor", &self.arbiters.feeding(), move |life, stats| {
            JanitorActor::new(db.clone(), clock.clone(), KEPT, sweeps.clone(), life, stats)
        });
    }

    /// Joins the other nodes, if there may be any: from then on this one works on its share, until it departs.
    pub fn cluster(&self) -> Option<Departure> {
        let redis = self.redis.as_ref()?;
        let incarnation = self.members.node().incarnation;
        let (to, registry) = (redis.clone(), self.registry.clone());
        self.supervisor.spawn("cluster.relay", &self.arbiters.feeding(), move |life, stats| {
            RelayActor::new(to.clone(), registry.clone(), incarnation, life, stats)
        });
        let (db, redis, registry) = (self.db.clone(), redis.clone(), self.registry.clone());
        let parts = ReaderParts { db: db.clone(), redis: redis.clone(), registry, incarnation };
        self.supervisor.spawn("cluster.reader", &self.arbiters.feeding(), move |life, stats| {
            ReaderActor::new(parts.clone(), life, stats)
        });
        let (trimmed, members) = (db.clone(), self.members.clone());
        self.supervisor.spawn("cluster.trimmer", &self.arbiters.feeding(), move |life, stats| {
            TrimmerActor::new(trimmed.clone(), redis.clone(), members.clone(), life, stats)
        });
        let departure = Departure::default();
        let (members, ends) = (self.members.clone(), departure.clone());
        self.supervisor.spawn("cluster.lease", &self.arbiters.feeding(), move |life, stats| {
            LeaseActor::new(db.clone(), members.clone(), ends.clone(), life, stats)
        });
        Some(departure)
    }
}
