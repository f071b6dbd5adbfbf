//! What every service is made of.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

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
use crate::actors::runtime::hot::Hot;
use crate::actors::runtime::janitor::{JanitorActor, Sweep};
use crate::actors::runtime::journal::{Journal, JournalActor, JournalLimits};
use crate::actors::runtime::registry::{Registry, RegistryActor};
use crate::actors::runtime::remote::caller::{Calls, Remote, RepliesActor};
use crate::actors::runtime::remote::responder::{Desks, Responder, ResponderActor};
use crate::actors::runtime::scheduler::{Job, SchedulerActor, SchedulerParts};
use crate::actors::runtime::service::{Hosted, Local, Service};
use crate::actors::runtime::stats::Board;
use crate::actors::runtime::supervisor::{Intensity, Supervisor};
use crate::actors::sales::client::SalesClient;
use crate::actors::service_name::ServiceName;
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
    /// This node's calls to services of others; none on a node that is alone.
    pub calls: Option<Calls>,
    /// The services that others may ask.
    pub desks: Desks,
    /// Every consumer, here or on other nodes, with the types it takes.
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
        let calls = redis.as_ref().map(|redis| Calls::new(redis.clone(), members.clone()));
        Self {
            config,
            clock: clock.clone(),
            db: db.clone(),
            registry,
            journal: Journal::new(journal),
            guards,
            members,
            redis,
            calls,
            desks: Desks::default(),
            supervisor,
            arbiters,
            board,
            consumers: Vec::new(),
            sweeps: Vec::new(),
        }
    }

    /// The directory of a kind of aggregate.
    pub fn entities<A: Aggregate>(&mut self) -> Entities<A> {
        self.entities_beside(None)
    }

    /// The same with a place where all nodes keep hot states.
    pub fn entities_beside<A: Aggregate>(&mut self, hot: Option<Arc<dyn Hot<A::State>>>) -> Entities<A> {
        let bounds = &self.config.bounds;
        let parts = EntityParts {
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
            shared: self.redis.is_some(),
        };
        let entities = Entities::<A>::beside(parts, hot);
        let swept = entities.clone();
        self.sweeps.push(Arc::new(move || swept.sweep()));
        entities
    }

    /// The actor before a desk that every node has; `deadline` is how long it may take to answer.
    pub fn local<D: Send + Sync + 'static>(&self, name: &str, deadline: Duration, desk: D) -> Local<D> {
        Local::start(&self.supervisor, name, &self.arbiters.serving(), deadline, Arc::new(desk))
    }

    /// The same of a desk that this node hosts, for itself and for the others.
    pub fn here<D: Hosted>(&mut self, deadline: Duration, desk: D) -> Service<D> {
        let local = self.local(D::SERVICE.as_str(), deadline, desk);
        self.desks.add(&local);
        Service::Here(local)
    }

    /// The way to a desk that this node does not host.
    ///
    /// # Errors
    /// On a node that is alone: there is nobody to ask.
    pub fn elsewhere<D: Hosted>(&self) -> anyhow::Result<Service<D>> {
        let calls = self.calls.clone().with_context(|| format!("--services: {} is nowhere", D::SERVICE))?;
        Ok(Service::Elsewhere(Remote::new(calls, self.guards.of(D::SERVICE).clone())))
    }

    /// Whether this node hosts the service.
    pub fn hosts(&self, service: ServiceName) -> bool {
        self.members.node().hosts(service)
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

    /// Starts the feed of a consumer that runs here; every node knows of it.
    pub fn feed<C: Consumer>(&mut self, parts: &FeedParts, consumer: Option<C>) {
        self.consumers.push((C::NAME, C::TYPES));
        let Some(consumer) = consumer else { return };
        let (parts, consumer) = (parts.clone(), Arc::new(consumer));
        let name = format!("feed.{}", C::NAME);
        self.supervisor.spawn(&name, &self.arbiters.feeding(), move |life, stats| {
            FeedActor::new(parts.clone(), consumer.clone(), life, stats)
        });
    }

    /// Starts the jobs that run at fixed times, each where its service is hosted.
    pub fn scheduler(&self, sales: &SalesClient) {
        if !self.hosts(ServiceName::Sales) {
            return;
        }
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

    /// Starts asking the services of other nodes, and answering for those of this one.
    pub fn remote(&mut self) -> Option<Responder> {
        let (redis, calls) = (self.redis.clone()?, self.calls.clone()?);
        self.supervisor.spawn("cluster.replies", &self.arbiters.serving(), move |life, stats| {
            RepliesActor::new(calls.clone(), life, stats)
        });
        let desks = std::mem::take(&mut self.desks);
        let responder = Responder::new(redis, self.members.node().incarnation, desks);
        let answering = responder.clone();
        self.supervisor.spawn("cluster.responder", &self.arbiters.serving(), move |life, stats| {
            ResponderActor::new(answering.clone(), life, stats)
        });
        Some(responder)
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
