//! Assembles each service that this node hosts, and a remote handle for each of the others.

use crate::app::consumers::CONSUMERS;
use std::sync::Arc;
use std::time::Duration;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::analytics::service::AnalyticsService;
use crate::actors::analytics::summary::Summaries;
use crate::actors::attachments::Attachments;
use crate::actors::auth::client::{Accounts, AuthClient};
use crate::actors::auth::password::Passwords;
use crate::actors::auth::security::SecurityLog;
use crate::actors::auth::service::{AuthService, SessionLimits};
use crate::actors::auth::throttle::LoginThrottle;
use crate::actors::auth::token::Keys;
use crate::actors::bulk::{Bulk, BulkParts};
use crate::actors::comments::{Annotated, Comments};
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::hot::HotCustomers;
use crate::actors::customer::service::CustomerService;
use crate::actors::customer_check::CustomerCheck;
use crate::actors::importing::{ImportParts, Imported};
use crate::actors::live::client::LiveClient;
use crate::actors::live::hub::HubParts;
use crate::actors::operations::service::{CountedEvents, OperationsService};
use crate::actors::opportunity::client::{OpportunityClient, OpportunityRecords};
use crate::actors::opportunity::service::OpportunityService;
use crate::actors::sagas::service::SagaService;
use crate::actors::sales::client::{SalesClient, SalesRecords};
use crate::actors::sales::service::SalesService;
use crate::actors::subscriptions::client::EventsClient;
use crate::actors::subscriptions::service::SubscriptionService;
use crate::actors::subscriptions::watch::{LogWatch, WatchActor};
use crate::actors::webhooks::courier::Courier;
use crate::actors::webhooks::dispatcher::{DispatcherActor, DispatcherParts};
use crate::actors::webhooks::endpoint::EndpointParts;
use crate::actors::webhooks::service::WebhookService;
use crate::app::builder::Builder;
use crate::persistence::customer_replicas::{OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use domain::service_name::ServiceName;
use domain::session::rules::SessionLifetimes;
use runtime::entity::Entities;
use runtime::service::Local;
use store::table::Table;
use store::vault::Vault;

/// How long a service may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long auth may take to answer: a sign-in may wait for a thread that hashes.
const SIGN_IN_DEADLINE: Duration = Duration::from_secs(20);
/// How long operations may take to answer: checking a long log takes time.
const OPERATIONS_DEADLINE: Duration = Duration::from_secs(30);

impl Builder<'_> {
    pub fn auth(&mut self, keys: Arc<Keys>) -> anyhow::Result<AuthClient> {
        let clock = self.clock.clone();
        if !self.hosts(ServiceName::Auth) {
            return Ok(AuthClient::new(self.remote_service()?, None, keys, clock));
        }
        let accounts =
            Accounts { users: self.entities(), sessions: self.entities(), api_keys: self.entities() };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let auth = &self.config.auth;
        let service = AuthService {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: clock.clone(),
            keys: keys.clone(),
            passwords: Passwords::start(cores, auth.hash_cost)?,
            users: accounts.users.clone(),
            sessions: accounts.sessions.clone(),
            views: self.entities(),
            api_keys: accounts.api_keys.clone(),
            limits: SessionLimits {
                access: auth.access_token_ttl,
                lifetimes: SessionLifetimes { unused: auth.refresh_token_ttl, total: auth.session_lifetime },
                per_user: auth.user_sessions,
            },
            throttle: LoginThrottle::new(&self.db, auth.login_rate, cores),
            security: SecurityLog::new(&self.db, &self.journal, &clock),
        };
        Ok(AuthClient::new(self.hosted(SIGN_IN_DEADLINE, service), Some(accounts), keys, clock))
    }

    pub fn customers(&mut self, auth: &AuthClient) -> anyhow::Result<CustomerClient> {
        if !self.hosts(ServiceName::Customer) {
            return Ok(CustomerClient { service: self.remote_service()?, customers: None, imports: None });
        }
        let hot = self.redis.clone().map(|redis| {
            let cluster_clock = self.members.clock().clone();
            Arc::new(HotCustomers::new(redis, self.db.runtime().clone(), cluster_clock, self.clock.clone()))
                as _
        });
        let customers = self.entities_beside(hot);
        let imports = self.entities();
        let service = CustomerService {
            db: self.db.clone(),
            clock: self.clock.clone(),
            bulk: self.bulk(&customers),
            imports: imports.clone(),
            import: self.importing(&customers, auth, ()),
            comments: self.comments(&customers, auth),
            attachments: self.attachments(&customers),
            customers: customers.clone(),
            auth: self.peer(&auth.service),
        };
        let service = self.hosted(DEADLINE, service);
        Ok(CustomerClient { service, customers: Some(customers), imports: Some(imports) })
    }

    /// What it takes to change records together.
    pub fn bulk<B: Bulk>(&self, records: &Entities<B::Record>) -> BulkParts<B> {
        let (db, journal, clock) = (self.db.clone(), self.journal.clone(), self.clock.clone());
        BulkParts { db, journal, clock, records: records.clone() }
    }

    /// What it takes to import records of a kind; `customers` finds those whom they name.
    pub fn importing<I: Imported>(
        &self,
        records: &Entities<I::Record>,
        auth: &AuthClient,
        customers: I::Customers,
    ) -> ImportParts<I> {
        ImportParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            records: records.clone(),
            auth: self.peer(&auth.service),
            customers,
        }
    }

    pub fn sales(&mut self, auth: &AuthClient, customers: &CustomerClient) -> anyhow::Result<SalesClient> {
        if !self.hosts(ServiceName::Sales) {
            return Ok(SalesClient { service: self.remote_service()?, records: None });
        }
        let records = SalesRecords { meetings: self.entities(), tasks: self.entities() };
        let service = SalesService {
            db: self.db.clone(),
            clock: self.clock.clone(),
            meetings: records.meetings.clone(),
            tasks: records.tasks.clone(),
            meetings_bulk: self.bulk(&records.meetings),
            tasks_bulk: self.bulk(&records.tasks),
            meetings_import: self.importing(&records.meetings, auth, self.peer(&customers.service)),
            tasks_import: self.importing(&records.tasks, auth, self.peer(&customers.service)),
            meeting_comments: self.comments(&records.meetings, auth),
            task_comments: self.comments(&records.tasks, auth),
            meeting_attachments: self.attachments(&records.meetings),
            task_attachments: self.attachments(&records.tasks),
            customers: self.known(customers, &SALES_CUSTOMERS),
            auth: self.peer(&auth.service),
        };
        Ok(SalesClient { service: self.hosted(DEADLINE, service), records: Some(records) })
    }

    pub fn opportunity(
        &mut self,
        auth: &AuthClient,
        customers: &CustomerClient,
    ) -> anyhow::Result<OpportunityClient> {
        if !self.hosts(ServiceName::Opportunity) {
            return Ok(OpportunityClient { service: self.remote_service()?, records: None });
        }
        let records = OpportunityRecords { approvals: self.entities(), deals: self.entities() };
        let service = OpportunityService {
            db: self.db.clone(),
            approval_comments: self.comments(&records.approvals, auth),
            deal_comments: self.comments(&records.deals, auth),
            approval_attachments: self.attachments(&records.approvals),
            deal_attachments: self.attachments(&records.deals),
            deals_bulk: self.bulk(&records.deals),
            clock: self.clock.clone(),
            deals_import: self.importing(&records.deals, auth, self.peer(&customers.service)),
            approvals: records.approvals.clone(),
            deals: records.deals.clone(),
            customers: self.known(customers, &OPPORTUNITY_CUSTOMERS),
            auth: self.peer(&auth.service),
        };
        Ok(OpportunityClient { service: self.hosted(DEADLINE, service), records: Some(records) })
    }

    fn comments<R: Annotated>(&mut self, records: &Entities<R>, auth: &AuthClient) -> Comments<R> {
        Comments {
            db: self.db.clone(),
            records: records.clone(),
            comments: self.entities(),
            auth: self.peer(&auth.service),
        }
    }

    fn attachments<R: Annotated>(&mut self, records: &Entities<R>) -> Attachments<R> {
        Attachments {
            db: self.db.clone(),
            clock: self.clock.clone(),
            records: records.clone(),
            attachments: self.entities(),
        }
    }

    fn known(&self, customers: &CustomerClient, replica: &'static Table) -> CustomerCheck {
        CustomerCheck { db: self.db.clone(), replica, customers: self.peer(&customers.service) }
    }

    pub fn analytics(
        &mut self,
        customers: &CustomerClient,
        sales: &SalesClient,
        opportunity: &OpportunityClient,
    ) -> anyhow::Result<(AnalyticsClient, Option<Entities<NotificationAggregate>>)> {
        if !self.hosts(ServiceName::Analytics) {
            return Ok((AnalyticsClient { service: self.remote_service()? }, None));
        }
        let notifications = self.entities();
        let service = AnalyticsService {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            notifications: notifications.clone(),
            customers: self.peer(&customers.service),
            summaries: Summaries::new(
                &self.clock,
                self.peer(&customers.service),
                self.peer(&sales.service),
                self.peer(&opportunity.service),
            ),
        };
        // The summary waits for other services as long as their breakers allow.
        let deadline = DEADLINE.max(self.config.resilience.breaker().timeout);
        Ok((AnalyticsClient { service: self.hosted(deadline, service) }, Some(notifications)))
    }

    pub fn live(&self, auth: &AuthClient, analytics: &AnalyticsClient) -> LiveClient {
        let limits = self.config.live.limits();
        let parts = HubParts {
            db: self.db.clone(),
            registry: self.registry.clone(),
            auth: auth.clone(),
            analytics: analytics.clone(),
            arbiters: self.arbiters.clone(),
            actor_stats: self.actor_stats.clone(),
            sockets_per_user: limits.sockets_per_user,
        };
        LiveClient::start(&self.supervisor, parts, limits)
    }

    pub fn sagas(
        &self,
        auth: &AuthClient,
        customers: &CustomerClient,
        sales: &SalesClient,
        opportunity: &OpportunityClient,
        analytics: &AnalyticsClient,
    ) -> Local<SagaService> {
        let service = SagaService {
            db: self.db.clone(),
            clock: self.clock.clone(),
            auth: self.peer(&auth.service),
            customers: self.peer(&customers.service),
            sales: self.peer(&sales.service),
            opportunity: self.peer(&opportunity.service),
            analytics: self.peer(&analytics.service),
        };
        self.local("sagas", DEADLINE, service)
    }

    /// The service of webhooks, and the actors that send.
    pub fn webhooks(&mut self, vault: Vault) -> anyhow::Result<Local<WebhookService>> {
        let (webhooks, config) = (self.entities(), &self.config.webhooks);
        let courier = Courier::new(config.policy(), config.lookup.clone(), &self.clock)?;
        let endpoints = EndpointParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            registry: self.registry.clone(),
            members: self.members.clone(),
            clock: self.clock.clone(),
            retry: self.config.resilience.retry(),
            courier,
            webhooks: webhooks.clone(),
        };
        let parts = DispatcherParts::new(
            endpoints,
            vault.clone(),
            self.breakers.clone(),
            self.config.resilience.breaker(),
            self.supervisor.clone(),
            self.arbiters.feeding(),
        );
        if config.sends {
            self.supervisor.spawn("webhooks.dispatcher", &self.arbiters.feeding(), move |liveness, stats| {
                DispatcherActor::new(parts.clone(), liveness, stats)
            });
        }
        let service = WebhookService {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            webhooks,
            vault,
            policy: config.policy(),
        };
        Ok(self.local("webhooks", DEADLINE, service))
    }

    pub fn operations(&self) -> Local<OperationsService> {
        let service = OperationsService {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            actor_stats: self.actor_stats.clone(),
            breakers: self.breakers.clone(),
            consumers: CONSUMERS.to_vec(),
            members: self.members.clone(),
            redis: self.redis.clone(),
            counted: CountedEvents::default(),
            recorder: self.recorder.clone(),
        };
        self.local("operations", OPERATIONS_DEADLINE, service)
    }

    /// Starts the service of subscriptions, and what wakes requests that wait for events.
    pub fn events(&self) -> EventsClient {
        let watch = LogWatch::default();
        let (db, registry, wakes) = (self.db.clone(), self.registry.clone(), watch.clone());
        self.supervisor.spawn("subscriptions.watch", &self.arbiters.feeding(), move |liveness, stats| {
            WatchActor::new(db.clone(), registry.clone(), wakes.clone(), liveness, stats)
        });
        let service = SubscriptionService::new(
            self.db.clone(),
            self.journal.clone(),
            self.clock.clone(),
            watch.clone(),
        );
        EventsClient { service: self.local("subscriptions", DEADLINE, service), watch }
    }
}
