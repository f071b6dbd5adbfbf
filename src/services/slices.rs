//! Each service, put together from its parts where this node hosts it; else the way to it.

use std::sync::Arc;
use std::time::Duration;

use super::starter::Starter;
use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::service::AnalyticsDesk;
use crate::actors::analytics::summary::Summaries;
use crate::actors::auth::client::{Accounts, AuthClient};
use crate::actors::auth::password::Passwords;
use crate::actors::auth::service::{AuthDesk, TokenLifetimes};
use crate::actors::auth::throttle::Guesses;
use crate::actors::auth::token::Keys;
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::hot::HotCustomers;
use crate::actors::customer::service::CustomerDesk;
use crate::actors::customers_known::KnownCustomers;
use crate::actors::live::client::LiveClient;
use crate::actors::live::hub::HubParts;
use crate::actors::operations::service::OperationsDesk;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::opportunity::service::OpportunityDesk;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::{Local, Service};
use crate::actors::sagas::service::SagaDesk;
use crate::actors::sales::client::{SalesClient, SalesRecords};
use crate::actors::sales::service::SalesDesk;
use crate::actors::service_name::ServiceName;
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
        let clock = self.clock.clone();
        if !self.hosts(ServiceName::Auth) {
            return Ok(AuthClient::new(self.elsewhere()?, None, keys, clock));
        }
        let accounts = Accounts { users: self.entities(), sessions: self.entities() };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let auth = &self.config.auth;
        let desk = AuthDesk {
            db: self.db.clone(),
            journal: self.journal.clone(),
            clock: clock.clone(),
            keys: keys.clone(),
            passwords: Passwords::start(cores)?,
            users: accounts.users.clone(),
            sessions: accounts.sessions.clone(),
            lifetimes: TokenLifetimes { access: auth.access_token_ttl, refresh: auth.refresh_token_ttl },
            guesses: Guesses::new(&self.db, auth.login_rate),
        };
        Ok(AuthClient::new(self.here(SIGN_IN_DEADLINE, desk), Some(accounts), keys, clock))
    }

    pub fn customers(&mut self, auth: &AuthClient) -> anyhow::Result<CustomerClient> {
        if !self.hosts(ServiceName::Customer) {
            return Ok(CustomerClient { service: self.elsewhere()?, customers: None });
        }
        let hot = self.redis.clone().map(|redis| HotCustomers::new(redis, self.db.runtime().clone()));
        let customers = self.entities_beside(hot.map(|hot| Arc::new(hot) as _));
        let desk = CustomerDesk {
            db: self.db.clone(),
            clock: self.clock.clone(),
            customers: customers.clone(),
            auth: auth.clone(),
            auth_guard: self.guards.auth.clone(),
        };
        Ok(CustomerClient { service: self.here(DEADLINE, desk), customers: Some(customers) })
    }

    pub fn sales(&mut self, auth: &AuthClient, customers: &CustomerClient) -> anyhow::Result<SalesClient> {
        if !self.hosts(ServiceName::Sales) {
            return Ok(SalesClient { service: self.elsewhere()?, records: None });
        }
        let records = SalesRecords { meetings: self.entities(), tasks: self.entities() };
        let desk = SalesDesk {
            db: self.db.clone(),
            clock: self.clock.clone(),
            meetings: records.meetings.clone(),
            tasks: records.tasks.clone(),
            customers: self.known(customers, &SALES_CUSTOMERS),
            auth: auth.clone(),
            auth_guard: self.guards.auth.clone(),
        };
        Ok(SalesClient { service: self.here(DEADLINE, desk), records: Some(records) })
    }

    pub fn opportunity(
        &mut self,
        auth: &AuthClient,
        customers: &CustomerClient,
    ) -> anyhow::Result<OpportunityClient> {
        if !self.hosts(ServiceName::Opportunity) {
            return Ok(OpportunityClient { service: self.elsewhere()?, approvals: None });
        }
        let approvals = self.entities();
        let desk = OpportunityDesk {
            db: self.db.clone(),
            approvals: approvals.clone(),
            customers: self.known(customers, &OPPORTUNITY_CUSTOMERS),
            auth: auth.clone(),
            auth_guard: self.guards.auth.clone(),
        };
        Ok(OpportunityClient { service: self.here(DEADLINE, desk), approvals: Some(approvals) })
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
    ) -> anyhow::Result<(Service<AnalyticsDesk>, Option<Entities<NotificationAggregate>>)> {
        if !self.hosts(ServiceName::Analytics) {
            return Ok((self.elsewhere()?, None));
        }
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
        Ok((self.here(deadline, desk), Some(notifications)))
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
    ) -> Local<SagaDesk> {
        let desk = SagaDesk {
            db: self.db.clone(),
            auth: auth.clone(),
            customers: customers.clone(),
            sales: sales.clone(),
            opportunity: opportunity.clone(),
            analytics: analytics.clone(),
            guards: self.guards.clone(),
        };
        self.local("sagas", DEADLINE, desk)
    }

    pub fn operations(&self) -> Local<OperationsDesk> {
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
        self.local("operations", OPERATIONS_DEADLINE, desk)
    }
}
