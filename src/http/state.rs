//! What handlers find in the gateway.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashSet;
use metrics_exporter_prometheus::PrometheusHandle;
use utoipa::openapi::OpenApi;

use crate::actors::analytics::service::AnalyticsDesk;
use crate::actors::auth::client::AuthClient;
use crate::actors::customer::client::CustomerClient;
use crate::actors::live::client::LiveClient;
use crate::actors::operations::service::OperationsDesk;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::runtime::service::{Local, Service};
use crate::actors::runtime::stats::Board;
use crate::actors::sagas::service::SagaDesk;
use crate::actors::sales::client::SalesClient;
use crate::clock::Clock;
use crate::persistence::Db;

/// Every request's way to the services.
pub struct Gateway {
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: Service<AnalyticsDesk>,
    pub sagas: Local<SagaDesk>,
    pub operations: Local<OperationsDesk>,
    pub live: LiveClient,
    /// How often a live connection is asked whether anybody is there.
    pub ping_every: Duration,
    pub db: Db,
    pub clock: Clock,
    pub board: Board,
    pub metrics: PrometheusHandle,
    /// Consumers and the types they take, for the lag of each.
    pub consumers: Vec<(&'static str, &'static [&'static str])>,
    /// Idempotency keys whose first request is under way on this node.
    pub in_flight: DashSet<String>,
    pub public_url: Option<String>,
    pub trusted_proxy: Option<IpAddr>,
    /// Whether /metrics stands beside the API.
    pub serves_metrics: bool,
    pub draining: Arc<std::sync::atomic::AtomicBool>,
    pub openapi: Arc<OpenApi>,
}
