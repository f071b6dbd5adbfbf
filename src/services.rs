//! Starting the actors of a node: the supervision tree of `actors/mod.rs`, in the order it depends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::actors::analytics::activity::ActivityConsumer;
use crate::actors::analytics::metrics::MetricsConsumer;
use crate::actors::analytics::notifications::NotificationsConsumer;
use crate::actors::analytics::service::AnalyticsDesk;
use crate::actors::auth::client::AuthClient;
use crate::actors::auth::password::Passwords;
use crate::actors::auth::service::{AuthDesk, TokenLifetimes};
use crate::actors::auth::throttle::Guesses;
use crate::actors::auth::token::Keys;
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::service::CustomerDesk;
use crate::actors::customers_known::KnownCustomers;
use crate::actors::operations::node::Node;
use crate::actors::operations::service::OperationsDesk;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::opportunity::service::OpportunityDesk;
use crate::actors::replica::{OpportunityReplica, SalesReplica};
use crate::actors::runtime::arbiters::Arbiters;
use crate::actors::runtime::call::{BreakerActor, Guard};
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
use crate::actors::sales::service::SalesDesk;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::idempotency::KEPT;
use crate::ids::new_id;
use crate::persistence::Db;
use crate::persistence::replicas::{OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use crate::persistence::table::Table;

/// How long one command may take from its child's mailbox to its commit.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// How long a service may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same for auth: a sign-in may wait for its turn to hash.
const SIGN_IN_DEADLINE: Duration = Duration::from_secs(20);
/// The same for operations: comparing a long log takes its time.
const OPERATIONS_DEADLINE: Duration = Duration::from_secs(30);
/// How often a consumer looks at the log without having been told.
const FEED_POLL: Duration = Duration::from_secs(1);

/// The running services of a node.
pub struct Services {
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: Service<AnalyticsDesk>,
    /// The others' way to the customer service.
    pub customer_guard: Guard,
    pub operations: Service<OperationsDesk>,
    pub node: Arc<Node>,
    pub board: Board,
    /// Every consumer with the types it takes.
    pub consumers: Vec<(&'static str, &'static [&'static str])>,
    supervisor: Supervisor,
    arbiters: Arbiters,
}

/// What is shared while starting.
struct Starter<'a> {
    config: &'a Config,
    clock: Clock,
    db: Db,
    supervisor: Supervisor,
    arbiters: Arbiters,
    board: Board,
    sweeps: Vec<Sweep>,
    breakers: Vec<Guard>,
    consumers: Vec<(&'static str, &'static [&'static str])>,
}

impl Services {
    /// Starts every actor. Call within an actix system.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(config: &Config, clock: &Clock, db: &Db, keys: Arc<Keys>) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let board = Board::default();
        let mut start = Starter {
            config,
            clock: clock.clone(),
            db: db.clone(),
            supervisor: Supervisor::start(board.clone(), Intensity::default()),
            arbiters: Arbiters::start(cores),
            board,
            sweeps: Vec::new(),
            breakers: Vec::new(),
            consumers: Vec::new(),
        };
        let registry = start.registry();
        let journal = start.journal(registry.clone());
        let passwords = Passwords::start(cores)?;
        let auth = start.auth(&journal, keys, passwords);
        let auth_guard = start.guard("breaker.auth");
        let customers = start.customers(&journal, &auth, &auth_guard);
        let customer_guard = start.guard("breaker.customer");
        let known = |replica: &'static Table| KnownCustomers {
            db: db.clone(),
            replica,
            client: customers.clone(),
            guard: customer_guard.clone(),
        };
        let sales = start.sales(&journal, &auth, &auth_guard, known(&SALES_CUSTOMERS));
        let opportunity = start.opportunity(&journal, &auth, &auth_guard, known(&OPPORTUNITY_CUSTOMERS));
        let analytics = start.analytics();
        start.feeds(&journal, &registry);
        start.scheduler(&journal, &sales);
        start.janitor();
        let node = start.node();
        let operations = start.operations(&journal, &node);
        let Starter { supervisor, arbiters, board, consumers, .. } = start;
        Ok(Self {
            auth,
            customers,
            sales,
            opportunity,
            analytics,
            customer_guard,
            operations,
            node,
            board,
            consumers,
            supervisor,
            arbiters,
        })
    }

    /// Ends every actor; what they had is in the database.
    pub fn stop(&self) {
        self.supervisor.stop();
        self.arbiters.stop();
    }
}

impl Drop for Services {
    // A start that fails later on leaves no actor behind to complain of it.
    fn drop(&mut self) {
        self.stop();
    }
}

impl Starter<'_> {
    fn registry(&self) -> Registry {
        Registry::new(self.supervisor.spawn("registry", &self.arbiters.feeding(), RegistryActor::new))
    }

    fn journal(&self, registry: Registry) -> Journal {
        let bounds = &self.config.bounds;
        let limits =
            JournalLimits { group: bounds.journal_group as usize, queue: bounds.journal_queue as usize };
        let db = self.db.clone();
        Journal::new(self.supervisor.spawn("journal", &self.arbiters.serving(), move |life, stats| {
            JournalActor::new(db.clone(), registry.clone(), limits.clone(), life, stats)
        }))
    }

    fn guard(&mut self, name: &'static str) -> Guard {
        let (settings, clock) = (self.config.resilience.breaker(), self.clock.clone());
        let timeout = settings.timeout;
        let breaker = self.supervisor.spawn(name, &self.arbiters.serving(), move |life, _| {
            BreakerActor::new(name, settings.clone(), clock.clone(), life)
        });
        let guard = Guard::new(breaker, timeout);
        self.breakers.push(guard.clone());
        guard
    }

    fn entities<A: Aggregate>(&mut self, journal: &Journal) -> Entities<A> {
        let bounds = &self.config.bounds;
        let entities = Entities::<A>::new(EntityParts {
            db: self.db.clone(),
            journal: journal.clone(),
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

    fn auth(&mut self, journal: &Journal, keys: Arc<Keys>, passwords: Passwords) -> AuthClient {
        let (users, sessions) = (self.entities(journal), self.entities(journal));
        let auth = &self.config.auth;
        let desk = Arc::new(AuthDesk {
            db: self.db.clone(),
            journal: journal.clone(),
            clock: self.clock.clone(),
            keys: keys.clone(),
            passwords,
            users: users.clone(),
            sessions: sessions.clone(),
            lifetimes: TokenLifetimes { access: auth.access_token_ttl, refresh: auth.refresh_token_ttl },
            guesses: Guesses::new(auth.login_rate),
            admins: Mutex::new(()),
        });
        let service = self.service("auth", SIGN_IN_DEADLINE, desk);
        AuthClient { service, users, sessions, keys, clock: self.clock.clone() }
    }

    fn customers(&mut self, journal: &Journal, auth: &AuthClient, auth_guard: &Guard) -> CustomerClient {
        let customers = self.entities(journal);
        let desk = Arc::new(CustomerDesk {
            db: self.db.clone(),
            customers: customers.clone(),
            auth: auth.clone(),
            auth_guard: auth_guard.clone(),
        });
        let service = self.service("customer", DEADLINE, desk);
        CustomerClient { service, customers }
    }

    fn sales(
        &mut self,
        journal: &Journal,
        auth: &AuthClient,
        auth_guard: &Guard,
        customers: KnownCustomers,
    ) -> SalesClient {
        let (meetings, tasks) = (self.entities(journal), self.entities(journal));
        let desk = Arc::new(SalesDesk {
            db: self.db.clone(),
            clock: self.clock.clone(),
            meetings: meetings.clone(),
            tasks: tasks.clone(),
            customers,
            auth: auth.clone(),
            auth_guard: auth_guard.clone(),
        });
        let service = self.service("sales", DEADLINE, desk);
        SalesClient { service, meetings, tasks }
    }

    fn opportunity(
        &mut self,
        journal: &Journal,
        auth: &AuthClient,
        auth_guard: &Guard,
        customers: KnownCustomers,
    ) -> OpportunityClient {
        let approvals = self.entities(journal);
        let desk = Arc::new(OpportunityDesk {
            db: self.db.clone(),
            approvals: approvals.clone(),
            customers,
            auth: auth.clone(),
            auth_guard: auth_guard.clone(),
        });
        let service = self.service("opportunity", DEADLINE, desk);
        OpportunityClient { service, approvals }
    }

    fn analytics(&self) -> Service<AnalyticsDesk> {
        self.service("analytics", DEADLINE, Arc::new(AnalyticsDesk { db: self.db.clone() }))
    }

    fn node(&self) -> Arc<Node> {
        let id = self.config.node_id.clone().unwrap_or_else(|| new_id().to_string());
        Arc::new(Node::new(id, self.clock.now()))
    }

    /// After all others: it reads what they have registered.
    fn operations(&self, journal: &Journal, node: &Arc<Node>) -> Service<OperationsDesk> {
        let desk = OperationsDesk {
            db: self.db.clone(),
            journal: journal.clone(),
            clock: self.clock.clone(),
            board: self.board.clone(),
            breakers: self.breakers.clone(),
            consumers: self.consumers.clone(),
            node: node.clone(),
        };
        self.service("operations", OPERATIONS_DEADLINE, Arc::new(desk))
    }

    fn service<D: Send + Sync + 'static>(&self, name: &str, deadline: Duration, desk: Arc<D>) -> Service<D> {
        Service::start(&self.supervisor, name, &self.arbiters.serving(), deadline, desk)
    }

    fn feeds(&mut self, journal: &Journal, registry: &Registry) {
        let parts = FeedParts {
            db: self.db.clone(),
            journal: journal.clone(),
            registry: registry.clone(),
            clock: self.clock.clone(),
            retry: self.config.resilience.retry(),
            batch: self.config.bounds.feed_batch as usize,
            poll: FEED_POLL,
            parking: self.config.bounds.parking_limit as usize,
        };
        self.feed(&parts, SalesReplica);
        self.feed(&parts, OpportunityReplica);
        self.feed(&parts, MetricsConsumer);
        self.feed(&parts, ActivityConsumer);
        self.feed(&parts, NotificationsConsumer { clock: self.clock.clone() });
    }

    fn feed<C: Consumer>(&mut self, parts: &FeedParts, consumer: C) {
        self.consumers.push((C::NAME, C::TYPES));
        let (parts, consumer) = (parts.clone(), Arc::new(consumer));
        let name = format!("feed.{}", C::NAME);
        self.supervisor.spawn(&name, &self.arbiters.feeding(), move |life, stats| {
            FeedActor::new(parts.clone(), consumer.clone(), life, stats)
        });
    }

    fn scheduler(&self, journal: &Journal, sales: &SalesClient) {
        let (db, clock) = (self.db.clone(), self.clock.clone());
        let parts = SchedulerParts { db, journal: journal.clone(), clock };
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

    fn janitor(&self) {
        let (db, clock, sweeps) = (self.db.clone(), self.clock.clone(), self.sweeps.clone());
        self.supervisor.spawn("janitor", &self.arbiters.feeding(), move |life, stats| {
            JanitorActor::new(db.clone(), clock.clone(), KEPT, sweeps.clone(), life, stats)
        });
    }
}
