//! What handlers find in the gateway.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashSet;
use metrics_exporter_prometheus::PrometheusHandle;
use utoipa::openapi::OpenApi;

use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::auth::client::AuthClient;
use crate::actors::customer::client::CustomerClient;
use crate::actors::live::client::LiveClient;
use crate::actors::operations::service::OperationsService;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::sagas::service::SagaService;
use crate::actors::sales::client::SalesClient;
use kernel::clock::Clock;
use runtime::service::Local;
use runtime::stats::ActorStatsRegistry;
use store::Db;

/// Every request's way to the services.
pub struct Gateway {
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: AnalyticsClient,
    pub sagas: Local<SagaService>,
    pub operations: Local<OperationsService>,
    pub live: LiveClient,
    /// How often a live connection is asked whether anybody is there.
    pub ping_every: Duration,
    pub db: Db,
    pub clock: Clock,
    pub actor_stats: ActorStatsRegistry,
    pub metrics: PrometheusHandle,
    /// Idempotency keys whose first request is under way on this node.
    pub in_flight: DashSet<String>,
    pub public_url: Option<String>,
    pub trusted_proxy: Option<IpAddr>,
    /// Whether /metrics stands beside the API.
    pub serves_metrics: bool,
    pub draining: Arc<std::sync::atomic::AtomicBool>,
    pub openapi: Arc<OpenApi>,
}
