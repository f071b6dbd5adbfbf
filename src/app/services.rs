//! Starting the actors of a node: the supervision tree of `actors/mod.rs`, in the order it depends.

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
use crate::app::builder::Builder;
use crate::config::Config;
use kernel::clock::Clock;
use runtime::arbiters::Arbiters;
use runtime::circuit_breaker::Breakers;
use runtime::cluster::lease::MembershipHandle;
use runtime::cluster::members::Members;
use runtime::remote::responder::Responder;
use runtime::service::Local;
use runtime::stats::ActorStatsRegistry;
use runtime::supervisor::Supervisor;
use store::Db;
use store::redis::Redis;

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
    /// The others' ways to each service.
    pub breakers: Breakers,
    pub members: Members,
    /// Ends the membership of a cluster's node.
    pub membership: Option<MembershipHandle>,
    /// What this node does for the others.
    pub responder: Option<Responder>,
    pub actor_stats: ActorStatsRegistry,
    supervisor: Supervisor,
    arbiters: Arbiters,
}

impl Services {
    /// Starts every actor; with `redis` as one node of a cluster. Call within an actix system.
    ///
    /// # Errors
    /// When the system gives no thread, or a node that is alone leaves a service out.
    pub fn start(
        config: &Config,
        clock: &Clock,
        db: &Db,
        redis: Option<Redis>,
        keys: Arc<Keys>,
    ) -> anyhow::Result<Self> {
        let mut start = Builder::begin(config, clock, db, redis);
        let auth = start.auth(keys)?;
        let customers = start.customers(&auth)?;
        let sales = start.sales(&auth, &customers)?;
        let opportunity = start.opportunity(&auth, &customers)?;
        let (analytics, notifications) = start.analytics(&customers, &sales, &opportunity)?;
        let sagas = start.sagas(&auth, &customers, &sales, &opportunity, &analytics);
        let live = start.live(&auth);
        start.consumers(&customers, &sales, &opportunity, notifications.as_ref());
        start.scheduler(&sales);
        start.janitor();
        // After all others: it reads what they have registered.
        let operations = start.operations();
        // Before others hear of this node: their calls find it listening.
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
            breakers,
            members,
            membership,
            responder,
            actor_stats,
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
