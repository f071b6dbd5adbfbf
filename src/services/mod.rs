//! Starting the actors of a node: the supervision tree of `actors/mod.rs`, in the order it depends.
//!
//! - `starter`: what every service is made of: journal, directories, breakers, feeds
//! - `slices`: each service put together; `consumers`: who hears of what

mod consumers;
mod slices;
mod starter;

use std::sync::Arc;

use self::starter::Starter;
use crate::actors::analytics::service::AnalyticsDesk;
use crate::actors::auth::client::AuthClient;
use crate::actors::auth::token::Keys;
use crate::actors::customer::client::CustomerClient;
use crate::actors::guards::Guards;
use crate::actors::live::client::LiveClient;
use crate::actors::operations::service::OperationsDesk;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::runtime::arbiters::Arbiters;
use crate::actors::runtime::cluster::lease::Departure;
use crate::actors::runtime::cluster::members::Members;
use crate::actors::runtime::service::Service;
use crate::actors::runtime::stats::Board;
use crate::actors::runtime::supervisor::Supervisor;
use crate::actors::sagas::service::SagaDesk;
use crate::actors::sales::client::SalesClient;
use crate::clock::Clock;
use crate::config::Config;
use crate::persistence::Db;
use crate::persistence::redis::Redis;

/// The running services of a node.
pub struct Services {
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: Service<AnalyticsDesk>,
    pub sagas: Service<SagaDesk>,
    pub live: LiveClient,
    pub operations: Service<OperationsDesk>,
    /// The others' ways to each service.
    pub guards: Guards,
    pub members: Members,
    /// Ends the membership of a cluster's node.
    pub departure: Option<Departure>,
    pub board: Board,
    /// Every consumer with the types it takes.
    pub consumers: Vec<(&'static str, &'static [&'static str])>,
    supervisor: Supervisor,
    arbiters: Arbiters,
}

impl Services {
    /// Starts every actor; with `redis` as one node of a cluster. Call within an actix system.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        config: &Config,
        clock: &Clock,
        db: &Db,
        redis: Option<Redis>,
        keys: Arc<Keys>,
    ) -> anyhow::Result<Self> {
        let mut start = Starter::begin(config, clock, db, redis);
        let auth = start.auth(keys)?;
        let customers = start.customers(&auth);
        let sales = start.sales(&auth, &customers);
        let opportunity = start.opportunity(&auth, &customers);
        let (analytics, notifications) = start.analytics(&customers, &sales, &opportunity);
        let sagas = start.sagas(&auth, &customers, &sales, &opportunity, &analytics);
        let live = start.live(&auth);
        start.consumers(&customers, &sales, &opportunity, &notifications);
        start.scheduler(&sales);
        start.janitor();
        // After all others: it reads what they have registered.
        let operations = start.operations();
        let departure = start.cluster();
        let Starter { guards, members, supervisor, arbiters, board, consumers, .. } = start;
        Ok(Self {
            auth,
            customers,
            sales,
            opportunity,
            analytics,
            sagas,
            live,
            operations,
            guards,
            members,
            departure,
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
