//! Starts the actors of a node (the tree in `actors/mod.rs`) in the order of their dependencies.

use std::sync::Arc;

use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::auth::client::AuthClient;
use crate::actors::auth::token::Keys;
use crate::actors::customer::client::CustomerClient;
use crate::actors::live::client::LiveClient;
use crate::actors::operations::service::OperationsService;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::sagas::service::SagaService;
use crate::actors::sales::client::SalesClient;
use crate::actors::subscriptions::client::EventsClient;
use crate::actors::webhooks::service::WebhookService;
use crate::app::builder::Builder;
use crate::config::Config;
use kernel::clock::Clock;
use runtime::arbiters::Arbiters;
use runtime::breaker::Breakers;
use runtime::cluster::lease::MembershipHandle;
use runtime::cluster::members::Members;
use runtime::remote::responder::Responder;
use runtime::service::Local;
use runtime::stats::ActorStatsRegistry;
use runtime::supervisor::Supervisor;
use store::Db;
use store::redis::Redis;
use store::vault::Vault;

/// The running services of a node.
pub struct Services {
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: AnalyticsClient,
    pub sagas: Local<SagaService>,
    pub live: LiveClient,
    pub operations: Local<OperationsService>,
    pub events: EventsClient,
    pub webhooks: Local<WebhookService>,
    /// The circuit breakers of the services.
    pub breakers: Breakers,
    pub members: Members,
    /// The membership in the cluster, to be given up at the stop.
    pub membership: Option<MembershipHandle>,
    /// Answers calls of other nodes.
    pub responder: Option<Responder>,
    pub actor_stats: ActorStatsRegistry,
    supervisor: Supervisor,
    arbiters: Arbiters,
}

impl Services {
    /// Starts every actor; with `redis` as one node of a cluster. Call within an actix system.
    ///
    /// # Errors
    /// When a thread can't be started, or a node outside a cluster does not host every service.
    pub fn start(
        config: &Config,
        clock: &Clock,
        db: &Db,
        redis: Option<Redis>,
        keys: Arc<Keys>,
        vault: Vault,
    ) -> anyhow::Result<Self> {
        let mut start = Builder::begin(config, clock, db, redis);
        let auth = start.auth(keys)?;
        let customers = start.customers(&auth)?;
        let sales = start.sales(&auth, &customers)?;
        let opportunity = start.opportunity(&auth, &customers)?;
        let (analytics, notifications) = start.analytics(&customers, &sales, &opportunity)?;
        let sagas = start.sagas(&auth, &customers, &sales, &opportunity, &analytics);
        let live = start.live(&auth, &analytics);
        start.consumers(&auth, &customers, &sales, &opportunity, notifications.as_ref());
        let webhooks = start.webhooks(vault)?;
        start.scheduler(&sales);
        start.janitor();
        start.folder();
        start.sampler();
        // After all others, because it reads what they have registered.
        let operations = start.operations();
        let events = start.events();
        // Before other nodes see this one, so that it answers their first calls.
        let responder = start.remote();
        let membership = start.cluster();
        let Builder { breakers, members, supervisor, arbiters, actor_stats, .. } = start;
        Ok(Self {
            auth,
            customers,
            sales,
            opportunity,
            analytics,
            sagas,
            live,
            operations,
            events,
            webhooks,
            breakers,
            members,
            membership,
            responder,
            actor_stats,
            supervisor,
            arbiters,
        })
    }

    /// Ends every actor; their state is in the database.
    pub fn stop(&self) {
        self.supervisor.stop();
        self.arbiters.stop();
    }
}

impl Drop for Services {
    // A start that fails later leaves no actor behind.
    fn drop(&mut self) {
        self.stop();
    }
}
