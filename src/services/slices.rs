//! Each service, put together from its parts.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::starter::Starter;
use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::service::AnalyticsDesk;
use crate::actors::analytics::summary::Summaries;
use crate::actors::auth::client::AuthClient;
use crate::actors::auth::password::Passwords;
use crate::actors::auth::service::{AuthDesk, TokenLifetimes};
use crate::actors::auth::throttle::Guesses;
use crate::actors::auth::token::Keys;
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::service::CustomerDesk;
use crate::actors::customers_known::KnownCustomers;
use crate::actors::live::client::LiveClient;
use crate::actors::live::hub::HubParts;
use crate::actors::operations::service::OperationsDesk;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::opportunity::service::OpportunityDesk;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::Service;
use crate::actors::sagas::service::SagaDesk;
use crate::actors::sales::client::SalesClient;
use crate::actors::sales::service::SalesDesk;
use crate::persistence::replicas::{OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use crate::persistence::table::Table;

/// How long a service may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// The same for auth: a sign-in may wait for its turn to hash.
const SIGN_IN_DEADLINE: Duration = Duration::from_secs(20);
/// The same for operations: comparing a long log takes its time.
const OPERATIONS_DEADLINE: Duration = Duration::from_secs(30);

impl Starter<'_> {
    pub fn auth(&mut self, keys: Arc<Keys>) -> anyhow::Result<AuthClient> {
        let (users, sessions) = (self.entities(), self.entities());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let auth = &self.config.auth;
        let desk = AuthDesk {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            keys: keys.clone(),
            passwords: Passwords::start(cores)?,
            users: users.clone(),
            sessions: sessions.clone(),
            lifetimes: TokenLifetimes { access: auth.access_token_ttl, refresh: auth.refresh_token_ttl },
            guesses: Guesses::new(auth.login_rate),
            admins: Mutex::new(()),
        };
        let service = self.service("auth", SIGN_IN_DEADLINE, desk);
        Ok(AuthClient { service, users, sessions, keys, clock: self.clock.clone() })
    }

    pub fn customers(&mut self, auth: &AuthClient) -> CustomerClient {
        let customers = self.entities();
        let desk = CustomerDesk {
            db: self.db.clone(),
            clock: self.clock.clone(),
            customers: customers.clone(),
            auth: auth.clone(),
            auth_guard: self.guards.auth.clone(),
        };
        CustomerClient { service: self.service("customer", DEADLINE, desk), customers }
    }

    pub fn sales(&mut self, auth: &AuthClient, customers: &CustomerClient) -> SalesClient {
        let (meetings, tasks) = (self.entities(), self.entities());
        let desk = SalesDesk {
            db: self.db.clone(),
            clock: self.clock.clone(),
            meetings: meetings.clone(),
            tasks: tasks.clone(),
            customers: self.known(customers, &SALES_CUSTOMERS),
            auth: auth.clone(),
            auth_guard: self.guards.auth.clone(),
        };
        SalesClient { service: self.service("sales", DEADLINE, desk), meetings, tasks }
    }

    pub fn opportunity(&mut self, auth: &AuthClient, customers: &CustomerClient) -> OpportunityClient {
        let approvals = self.entities();
        let desk = OpportunityDesk {
            db: self.db.clone(),
            approvals: approvals.clone(),
            customers: self.known(customers, &OPPORTUNITY_CUSTOMERS),
            auth: auth.clone(),
            auth_guard: self.guards.auth.clone(),
        };
        OpportunityClient { service: self.service("opportunity", DEADLINE, desk), approvals }
    }

    fn known(&self, customers: &CustomerClient, replica: &'static Table) -> KnownCustomers {
        KnownCustomers {
            db: self.db.clone(),
            replica,
            client: customers.clone(),
            guard: self.guards.customer.clone(),
        }
    }

    pub fn analytics(
        &mut self,
        customers: &CustomerClient,
        sales: &SalesClient,
        opportunity: &OpportunityClient,
    ) -> (Service<AnalyticsDesk>, Entities<NotificationAggregate>) {
        let notifications = self.entities();
        let desk = AnalyticsDesk {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            notifications: notifications.clone(),
            summaries: Summaries::new(
                &self.clock,
                customers.clone(),
                sales.clone(),
                opportunity.clone(),
                &self.guards,
            ),
        };
        // The summary waits for others as long as their breakers let it.
        let deadline = DEADLINE.max(self.config.resilience.breaker().timeout);
        (self.service("analytics", deadline, desk), notifications)
    }

    pub fn live(&self, auth: &AuthClient) -> LiveClient {
        let limits = self.config.live.limits();
        let parts = HubParts {
            db: self.db.clone(),
            registry: self.registry.clone(),
            auth: auth.clone(),
            arbiters: self.arbiters.clone(),
            board: self.board.clone(),
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
        analytics: &Service<AnalyticsDesk>,
    ) -> Service<SagaDesk> {
        let desk = SagaDesk {
            db: self.db.clone(),
            auth: auth.clone(),
            customers: customers.clone(),
            sales: sales.clone(),
            opportunity: opportunity.clone(),
            analytics: analytics.clone(),
            guards: self.guards.clone(),
        };
        self.service("sagas", DEADLINE, desk)
    }

    pub fn operations(&self) -> Service<OperationsDesk> {
        let desk = OperationsDesk {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            board: self.board.clone(),
            breakers: self.guards.all(),
            consumers: self.consumers.clone(),
            members: self.members.clone(),
            redis: self.redis.clone(),
        };
        self.service("operations", OPERATIONS_DEADLINE, desk)
    }
}
