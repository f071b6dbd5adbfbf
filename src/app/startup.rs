//! Starts and stops a node: database, actors, gateway.

use crate::persistence::{SCHEMA, migrate};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use anyhow::Context as _;
use tokio::runtime::Handle;

use crate::actors::auth::token::Keys;
use crate::actors::customer::hot::HotCustomers;
use crate::actors::first_answers::FirstAnswers;
use crate::actors::importer::Importer;
use crate::actors::live::client::LiveClient;
use crate::actors::operations::readiness::Readiness;
use crate::actors::uploads::Uploads;
use crate::app::ports::Ports;
use crate::app::services::Services;
use crate::app::{bootstrap, server};
use crate::config::Config;
use crate::http;
use crate::http::admission::Admission;
use crate::http::cors::Cors;
use crate::http::key_rates::KeyRates;
use crate::http::state::Gateway;
use crate::persistence::auth;
use crate::telemetry;
use kernel::clock::Clock;
use runtime::cluster::lease::MembershipHandle;
use store::redis::{Redis, RedisSettings};
use store::server_lock::ServerLock;
use store::vault::Vault;
use store::{Db, leases as nodes};

/// How long the other nodes take to see that a node leaves: two of their looks.
const UNTIL_NOTICED: Duration = Duration::from_secs(1);

/// A node, which is built and then run until it is stopped.
pub struct Application {
    server: Server,
    ops: Option<Server>,
    address: SocketAddr,
    ops_address: Option<SocketAddr>,
    services: Services,
    db: Db,
    readiness: Readiness,
    drain_delay: Duration,
    drain_timeout: Duration,
    first_login: Option<bootstrap::FirstLogin>,
    /// Released when the database is closed.
    _lock: Option<ServerLock>,
}

/// Stops an application from another task.
#[derive(Clone)]
pub struct Stopper {
    server: actix_web::dev::ServerHandle,
    live: LiveClient,
    readiness: Readiness,
    membership: Option<MembershipHandle>,
    delay: Duration,
}

impl Stopper {
    /// Makes `/readyz` answer 503, serves for the drain delay, finishes the requests under way and ends
    /// [`Application::run_until_stopped`].
    pub async fn stop(&self) {
        self.readiness.end();
        if let Some(membership) = &self.membership {
            membership.leave().await;
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        // First, because the server waits for every open connection.
        self.live.stop();
        self.server.stop(true).await;
    }
}

impl Application {
    /// Takes the ports, opens the database, starts the actors and listens. Call within an actix system; `runtime` must
    /// outlive the application.
    ///
    /// # Errors
    /// One line that says what failed.
    pub async fn build(config: &Config, clock: Clock, runtime: Handle) -> anyhow::Result<Self> {
        config.validate().map_err(anyhow::Error::msg)?;
        let ports = Ports::bind(&config.http)?;
        let lock = ServerLock::take(&config.database.settings()).context("--database-url")?;
        let metrics = telemetry::metrics();
        let db = open(config, &runtime).await?;
        let secrets = bootstrap::secrets(config)?;
        let redis = match config.links.redis(&config.cluster) {
            Some(settings) => Some(meet(&settings, &db, &secrets).await?),
            None => None,
        };
        let keys = Arc::new(Keys::new(&secrets[0]).accepting(&secrets[1..]));
        let vault = Vault::new(&secrets, "webhooks");
        let services = Services::start(config, &clock, &db, redis.clone(), keys, vault)?;
        let first_login = if auth::has_users(&db).await? {
            None
        } else {
            bootstrap::first_users(config, &services).await?
        };
        let readiness = Readiness::new(db.clone());
        let hot_customers = redis.map(|redis| {
            let cluster_clock = services.members.clock().clone();
            Arc::new(HotCustomers::new(redis, db.runtime().clone(), cluster_clock, clock.clone())) as _
        });
        let gateway = Data::new(Gateway {
            auth: services.auth.clone(),
            customers: services.customers.clone(),
            sales: services.sales.clone(),
            opportunity: services.opportunity.clone(),
            analytics: services.analytics.clone(),
            sagas: services.sagas.clone(),
            operations: services.operations.clone(),
            events: services.events.clone(),
            webhooks: services.webhooks.clone(),
            live: services.live.clone(),
            ping_every: config.live.ping_every,
            clock: clock.clone(),
            actor_stats: services.actor_stats.clone(),
            metrics,
            uploads: Uploads::new(db.clone(), clock.clone()),
            imports: Importer::new(
                Uploads::new(db.clone(), clock.clone()),
                services.customers.clone(),
                services.sales.clone(),
                services.opportunity.clone(),
            ),
            key_rates: KeyRates::new(config.auth.api_key_rate, clock.clone()),
            cors: Cors::new(config.http.cors_origin.clone()),
            first_answers: FirstAnswers::new(db.clone(), clock.clone(), hot_customers),
            readiness: readiness.clone(),
            public_url: config.http.public_url.clone(),
            trusted_proxies: config.http.trusted_proxy.iter().copied().collect(),
            admission: Admission::new(config.http.requests_at_once as usize),
            body_pace: config.http.body_pace(),
            unsigned_sockets: config.live.unsigned_places(),
            serves_metrics: config.http.ops_listen.is_none(),
            openapi: Arc::new(LazyLock::new(http::document)),
            is_demo: config.demo,
            fiscal_year_starts: config.reports.fiscal_year_starts,
        });
        let listeners = ports.api.listen()?;
        let address = listeners[0].local_addr()?;
        let server = server::serve(&config.http, gateway.clone(), listeners)?;
        services.members.listens(address);
        let (ops, ops_address) = match ports.ops {
            None => (None, None),
            Some(port) => {
                let listeners = port.listen()?;
                let address = listeners[0].local_addr()?;
                (Some(server::serve_metrics(gateway, listeners)?), Some(address))
            }
        };
        Ok(Self {
            server,
            ops,
            address,
            ops_address,
            services,
            db,
            readiness,
            drain_delay: drain_delay(config),
            drain_timeout: config.http.drain_timeout,
            first_login,
            _lock: lock,
        })
    }

    /// The address of the API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `/metrics`, if it is not beside the API.
    pub fn ops_address(&self) -> Option<SocketAddr> {
        self.ops_address
    }

    /// The first login, if this start created the first user.
    pub fn first_login(&self) -> Option<&bootstrap::FirstLogin> {
        self.first_login.as_ref()
    }

    pub fn services(&self) -> &Services {
        &self.services
    }

    pub fn db(&self) -> &Db {
        &self.db
    }

    pub fn stopper(&self) -> Stopper {
        Stopper {
            server: self.server.handle(),
            live: self.services.live.clone(),
            readiness: self.readiness.clone(),
            membership: self.services.membership.clone(),
            delay: self.drain_delay,
        }
    }

    /// Serves until a [`Stopper`] stops it; then finishes the accepted requests and closes everything.
    ///
    /// # Errors
    /// When the server's socket fails.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        let ops = self.ops.map(|ops| {
            let handle = ops.handle();
            actix_rt::spawn(ops);
            handle
        });
        let ended = self.server.await;
        if let Some(ops) = ops {
            ops.stop(false).await;
        }
        if let Some(responder) = &self.services.responder {
            responder.rest(self.drain_timeout).await;
        }
        self.services.stop();
        self.db.close().await;
        ended
    }
}

/// How long to serve after the signal to stop.
fn drain_delay(config: &Config) -> Duration {
    let asked = config.http.drain_delay.unwrap_or_default();
    if config.cluster.redis_url().is_some() { asked.max(UNTIL_NOTICED) } else { asked }
}

/// Opens the Redis of this database's cluster.
async fn meet(settings: &RedisSettings, db: &Db, secrets: &[Vec<u8>]) -> anyhow::Result<Redis> {
    let cluster = nodes::cluster(db).await?;
    // Its tasks run on the runtime that outlives every actor.
    let _db_runtime = db.runtime().enter();
    Redis::new(settings, cluster, secrets).map_err(anyhow::Error::msg)
}

async fn open(config: &Config, runtime: &Handle) -> anyhow::Result<Db> {
    let (database, shown) = (config.database.settings(), config.database.shown());
    let opened = runtime.spawn(async move {
        let db = Db::connect(&database, SCHEMA).await;
        let db = db.with_context(|| format!("--database-url {shown}"))?;
        migrate(&db).await.context("the database's schema")?;
        anyhow::Ok(db)
    });
    opened.await?
}
