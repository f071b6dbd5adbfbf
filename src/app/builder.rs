//! The parts that all services share, and how services are started from them.

use crate::actors::auth::{api_keys, security, throttle};
use crate::actors::first_answers::ANSWERS_KEPT;
use crate::actors::operations::sampler::{Recorder, SamplerActor, SamplerParts};
use crate::actors::uploads;
use crate::app::consumers::CONSUMERS;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::actors::sales::client::SalesClient;
use crate::config::Config;
use crate::persistence::tally_folds::{WORTH_FOLDING, fold_tallies};
use crate::persistence::text_folds::fold_texts;
use crate::persistence::{
    auth, batches, discarded, imports, login_buckets, subscriptions, text_keys, webhook_deliveries,
};
use domain::saga::rules::UNDO_KEPT;
use domain::service_name::ServiceName;
use domain::webhook::schedule::DELIVERIES_KEPT;
use kernel::clock::Clock;
use runtime::arbiters::Arbiters;
use runtime::breaker::{BreakerActor, Breakers, CircuitBreaker, Shared};
use runtime::cluster::lease::{LeaseActor, MembershipHandle};
use runtime::cluster::members::{Hosts, Members};
use runtime::cluster::node::Node;
use runtime::cluster::reader::{ReaderActor, ReaderParts};
use runtime::cluster::relay::RelayActor;
use runtime::cluster::trimmer::TrimmerActor;
use runtime::consumer::{Consumer, ConsumerActor, ConsumerParts};
use runtime::entity::{Aggregate, Entities, EntityLimits, EntityParts};
use runtime::folder::{Fold, FolderActor};
use runtime::hot_state::Hot;
use runtime::janitor::{Chore, JanitorActor, Sweep};
use runtime::journal::{Journal, JournalActor, JournalLimits};
use runtime::registry::{Registry, RegistryActor};
use runtime::remote::caller::{Calls, Remote, RepliesActor};
use runtime::remote::responder::{HostedServices, Responder, ResponderActor};
use runtime::scheduler::{Job, SchedulerActor, SchedulerParts};
use runtime::service::{Hosted, Local, Peer, Service};
use runtime::stats::ActorStatsRegistry;
use runtime::supervisor::{Intensity, Supervisor};
use store::redis::Redis;
use store::{Db, idempotency};

/// How long a command may take from its child's mailbox to its commit.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// How often a consumer reads the log without a delivery.
const CONSUMER_POLL: Duration = Duration::from_secs(1);

/// How long a revoked session is kept: longer than any node may hold an older state of it.
const REVOKED_KEPT: Duration = Duration::from_hours(24);

/// How long batches, and what sagas changed, are kept: a day longer than the undo is possible.
const BATCHES_KEPT: Duration = UNDO_KEPT.saturating_add(Duration::from_hours(24));

/// How long an import may wait to be carried out, with its file.
const IMPORTS_OPEN: Duration = Duration::from_hours(24 * 7);
/// How long batches are kept that no saga has begun: longer than an import waits that was previewed again and again.
const UNBEGUN_KEPT: Duration = Duration::from_hours(24 * 8);
/// Imports that are purged at a time, with their files.
const IMPORTS_PURGED: i64 = 20;

/// Rows expire; and nodes of the version before write rows without keys.
const CHORES: [Chore; 14] = [
    |db, now, limit| Box::pin(async move { idempotency::purge(&db, now.minus(ANSWERS_KEPT), limit).await }),
    |db, now, limit| {
        Box::pin(async move { auth::purge_sessions(&db, now, now.minus(REVOKED_KEPT), limit).await })
    },
    |db, now, limit| Box::pin(async move { login_buckets::purge(&db, now, limit).await }),
    |db, now, limit| Box::pin(async move { throttle::purge(&db, now, limit).await }),
    |db, now, limit| Box::pin(async move { security::purge(&db, now, limit).await }),
    |db, now, limit| Box::pin(async move { api_keys::purge(&db, now, limit).await }),
    |db, now, limit| Box::pin(async move { batches::purge(&db, now.minus(BATCHES_KEPT), limit).await }),
    |db, now, limit| Box::pin(async move { discarded::purge(&db, now.minus(BATCHES_KEPT), limit).await }),
    |db, now, limit| {
        Box::pin(async move { batches::purge_unbegun(&db, now.minus(UNBEGUN_KEPT), limit).await })
    },
    |db, now, limit| {
        Box::pin(async move { webhook_deliveries::purge(&db, now.minus(DELIVERIES_KEPT), limit).await })
    },
    |db, now, _| Box::pin(async move { uploads::sweep(&db, now).await }),
    |db, now, _| {
        let (open, all) = (now.minus(IMPORTS_OPEN), now.minus(BATCHES_KEPT));
        Box::pin(async move { imports::purge(&db, open, all, IMPORTS_PURGED).await })
    },
    |db, _, _| Box::pin(async move { text_keys::renew(&db).await }),
    |db, now, limit| {
        Box::pin(async move { subscriptions::purge(&db, now.minus(subscriptions::ACKS_KEPT), limit).await })
    },
];

/// What transactions of records only append.
const FOLDS: [Fold; 2] = [
    Fold { name: "tallies", batch: |db| Box::pin(fold_tallies(db, WORTH_FOLDING)) },
    Fold { name: "texts", batch: |db| Box::pin(fold_texts(db, WORTH_FOLDING)) },
];

/// Builds the services of a node.
pub(super) struct Builder<'a> {
    pub config: &'a Config,
    pub clock: Clock,
    pub db: Db,
    pub registry: Registry,
    pub journal: Journal,
    pub breakers: Breakers,
    pub members: Members,
    /// The cluster's Redis; `None` outside a cluster.
    pub redis: Option<Redis>,
    pub supervisor: Supervisor,
    pub arbiters: Arbiters,
    pub actor_stats: ActorStatsRegistry,
    /// Calls to services of other nodes; `None` outside a cluster.
    pub calls: Option<Calls>,
    /// The services that other nodes may call.
    pub hosted: HostedServices,
    sweeps: Vec<Sweep>,
    /// The figures of the last hour.
    pub recorder: Recorder,
}

impl<'a> Builder<'a> {
    /// Starts what all services share: supervisor, registry, journal, breakers.
    pub fn begin(config: &'a Config, clock: &Clock, db: &Db, redis: Option<Redis>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (actor_stats, arbiters) = (ActorStatsRegistry::default(), Arbiters::start(cores));
        let supervisor = Supervisor::start(actor_stats.clone(), Intensity::default());
        let registry = Registry::new(supervisor.spawn("registry", &arbiters.feeding(), RegistryActor::new));
        let limits = JournalLimits {
            group: config.bounds.journal_group as usize,
            queue: config.bounds.journal_queue as usize,
            ..JournalLimits::default()
        };
        let (writes_to, tells) = (db.clone(), registry.clone());
        let journal = supervisor.spawn("journal", &arbiters.serving(), move |liveness, stats| {
            JournalActor::new(writes_to.clone(), tells.clone(), limits.clone(), liveness, stats)
        });
        let services: Vec<_> = config.cluster.services.iter().map(|service| service.id()).collect();
        let node = Node::new(config.cluster.node_id.clone(), &services, clock.now());
        let members = match redis {
            Some(_) => Members::joining(Arc::new(node)),
            None => Members::alone(Arc::new(node)),
        };
        let calls = redis.as_ref().map(|redis| Calls::new(redis.clone(), members.clone()));
        let breakers = ServiceName::ALL.into_iter().map(|service| {
            let (settings, clock, name) =
                (config.resilience.breaker(), clock.clone(), service.breaker_name());
            let (timeout, hosts) = (settings.timeout, Hosts::new(members.clone(), service.id()));
            let shared = Shared::new(name, settings.capacity);
            let parts = shared.clone();
            let breaker = supervisor.spawn(name, &arbiters.serving(), move |liveness, _| {
                BreakerActor::new(parts.clone(), settings.clone(), clock.clone(), hosts.clone(), liveness)
            });
            let remote = calls.clone().filter(|_| !members.node().hosts(service.id()));
            let can_be_sent = move || remote.as_ref().is_none_or(|calls| calls.can_be_sent(service.id()));
            (service.id(), CircuitBreaker::new(breaker, shared, timeout, Arc::new(can_be_sent)))
        });
        let breakers = breakers.collect();
        Self {
            config,
            clock: clock.clone(),
            db: db.clone(),
            registry,
            journal: Journal::new(journal),
            breakers,
            members,
            redis,
            calls,
            hosted: HostedServices::default(),
            supervisor,
            arbiters,
            actor_stats,
            sweeps: Vec::new(),
            recorder: Recorder::default(),
        }
    }

    /// The directory of a kind of aggregate.
    pub fn entities<A: Aggregate>(&mut self) -> Entities<A> {
        self.entities_beside(None)
    }

    /// The directory of a kind of aggregate whose hot states all nodes share, if `hot` is given.
    pub fn entities_beside<A: Aggregate>(&mut self, hot: Option<Arc<dyn Hot<A::State>>>) -> Entities<A> {
        let bounds = &self.config.bounds;
        let parts = EntityParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            arbiters: self.arbiters.clone(),
            actor_stats: self.actor_stats.clone(),
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

    /// Starts a service that every node has; `deadline` is how long it may take to answer.
    pub fn local<D: Send + Sync + 'static>(&self, name: &str, deadline: Duration, service: D) -> Local<D> {
        Local::start(&self.supervisor, name, &self.arbiters.serving(), deadline, Arc::new(service))
    }

    /// Starts a service that this node hosts, for itself and for other nodes.
    pub fn hosted<D: Hosted>(&mut self, deadline: Duration, service: D) -> Service<D> {
        let local = self.local(D::SERVICE.as_str(), deadline, service);
        self.hosted.add(&local);
        Service::Local(local)
    }

    /// A handle to a service that this node does not host.
    ///
    /// # Errors
    /// Outside a cluster: no other node can host the service.
    pub fn remote_service<D: Hosted>(&self) -> anyhow::Result<Service<D>> {
        let calls = self
            .calls
            .clone()
            .with_context(|| format!("--services must list {} on a single node", D::SERVICE))?;
        Ok(Service::Remote(Remote::new(calls, self.breakers.of(D::SERVICE).clone())))
    }

    /// The handle of other services to `service`, with its circuit breaker.
    pub fn peer<S: Hosted>(&self, service: &Service<S>) -> Peer<S> {
        Peer::new(service.clone(), self.breakers.of(S::SERVICE).clone())
    }

    /// Whether this node hosts the service.
    pub fn hosts(&self, service: ServiceName) -> bool {
        self.members.node().hosts(service.id())
    }

    /// What all consumers share.
    pub fn consumer_parts(&self) -> ConsumerParts {
        ConsumerParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            registry: self.registry.clone(),
            members: self.members.clone(),
            clock: self.clock.clone(),
            retry: self.config.resilience.retry(),
            batch: self.config.bounds.feed_batch as usize,
            poll: CONSUMER_POLL,
            parking: self.config.bounds.parking_limit as usize,
        }
    }

    /// Starts a consumer, if it runs on this node.
    pub fn feed<C: Consumer>(&mut self, parts: &ConsumerParts, consumer: Option<C>) {
        debug_assert!(
            CONSUMERS.iter().any(|known| known.name == C::NAME),
            "{} is not among CONSUMERS",
            C::NAME
        );
        let Some(consumer) = consumer else { return };
        let (parts, consumer) = (parts.clone(), Arc::new(consumer));
        let name = format!("feed.{}", C::NAME);
        self.supervisor.spawn(&name, &self.arbiters.feeding(), move |liveness, stats| {
            ConsumerActor::new(parts.clone(), consumer.clone(), liveness, stats)
        });
    }

    /// Starts the jobs at fixed times of the services that this node hosts.
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
        self.supervisor.spawn("scheduler", &self.arbiters.feeding(), move |liveness, stats| {
            SchedulerActor::new(parts.clone(), vec![due_alerts.clone()], liveness, stats)
        });
    }

    /// Starts the actor that deletes expired rows.
    pub fn janitor(&self) {
        let (db, clock, sweeps) = (self.db.clone(), self.clock.clone(), self.sweeps.clone());
        self.supervisor.spawn("janitor", &self.arbiters.feeding(), move |liveness, stats| {
            JanitorActor::new(db.clone(), clock.clone(), CHORES.to_vec(), sweeps.clone(), liveness, stats)
        });
    }

    /// Starts the actor that keeps the figures of the last hour.
    pub fn sampler(&self) {
        let parts = SamplerParts {
            db: self.db.clone(),
            clock: self.clock.clone(),
            actor_stats: self.actor_stats.clone(),
            consumers: CONSUMERS.to_vec(),
            recorder: self.recorder.clone(),
        };
        self.supervisor.spawn("operations.sampler", &self.arbiters.feeding(), move |liveness, stats| {
            SamplerActor::new(parts.clone(), liveness, stats)
        });
    }

    /// Starts the actor that keeps tallies and the index of texts up to date.
    pub fn folder(&self) {
        let db = self.db.clone();
        self.supervisor.spawn("folder", &self.arbiters.feeding(), move |liveness, stats| {
            FolderActor::new(db.clone(), FOLDS.to_vec(), liveness, stats)
        });
    }

    /// Starts the actors that call services of other nodes and answer calls from them.
    pub fn remote(&mut self) -> Option<Responder> {
        let (redis, calls) = (self.redis.clone()?, self.calls.clone()?);
        self.supervisor.spawn("cluster.replies", &self.arbiters.serving(), move |liveness, stats| {
            RepliesActor::new(calls.clone(), liveness, stats)
        });
        let hosted = std::mem::take(&mut self.hosted);
        let responder = Responder::new(redis, self.members.clone(), hosted);
        let answering = responder.clone();
        self.supervisor.spawn("cluster.responder", &self.arbiters.serving(), move |liveness, stats| {
            ResponderActor::new(answering.clone(), liveness, stats)
        });
        Some(responder)
    }

    /// Joins the cluster, if there is one: from then on this node works on its partitions, until it leaves.
    pub fn cluster(&self) -> Option<MembershipHandle> {
        let redis = self.redis.as_ref()?;
        let incarnation = self.members.node().incarnation;
        let (to, registry) = (redis.clone(), self.registry.clone());
        self.supervisor.spawn("cluster.relay", &self.arbiters.feeding(), move |liveness, stats| {
            RelayActor::new(to.clone(), registry.clone(), incarnation, liveness, stats)
        });
        let (db, redis, registry) = (self.db.clone(), redis.clone(), self.registry.clone());
        let parts = ReaderParts { db: db.clone(), redis: redis.clone(), registry, incarnation };
        self.supervisor.spawn("cluster.reader", &self.arbiters.feeding(), move |liveness, stats| {
            ReaderActor::new(parts.clone(), liveness, stats)
        });
        let (trimmed, members) = (db.clone(), self.members.clone());
        self.supervisor.spawn("cluster.trimmer", &self.arbiters.feeding(), move |liveness, stats| {
            TrimmerActor::new(trimmed.clone(), redis.clone(), members.clone(), liveness, stats)
        });
        let membership = MembershipHandle::default();
        // A node under load must not lose its lease for it.
        let (members, ends, db) = (self.members.clone(), membership.clone(), db.reserved());
        self.supervisor.spawn("cluster.lease", &self.arbiters.feeding(), move |liveness, stats| {
            LeaseActor::new(db.clone(), members.clone(), ends.clone(), liveness, stats)
        });
        Some(membership)
    }
}
