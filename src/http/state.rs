//! What handlers find in the gateway.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::actors::analytics::client::AnalyticsClient;
use crate::actors::auth::client::AuthClient;
use crate::actors::customer::client::CustomerClient;
use crate::actors::first_answers::FirstAnswers;
use crate::actors::importer::Importer;
use crate::actors::live::client::LiveClient;
use crate::actors::operations::readiness::Readiness;
use crate::actors::operations::service::OperationsService;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::sagas::service::SagaService;
use crate::actors::sales::client::SalesClient;
use crate::actors::subscriptions::client::EventsClient;
use crate::actors::uploads::Uploads;
use crate::actors::webhooks::service::WebhookService;
use crate::http::admission::Admission;
use crate::http::body_pace::BodyPace;
use crate::http::client_address::TrustedProxies;
use crate::http::connections::Places;
use crate::http::cors::Cors;
use crate::http::key_rates::KeyRates;
use crate::http::openapi::ApiDocument;
use kernel::clock::Clock;
use runtime::service::Local;
use runtime::stats::ActorStatsRegistry;

/// Every request's way to the services.
pub struct Gateway {
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: AnalyticsClient,
    pub sagas: Local<SagaService>,
    pub operations: Local<OperationsService>,
    /// The log for readers outside, and their subscriptions.
    pub events: EventsClient,
    pub webhooks: Local<WebhookService>,
    pub live: LiveClient,
    /// How often a live connection is asked whether anybody is there.
    pub ping_every: Duration,
    pub clock: Clock,
    pub actor_stats: ActorStatsRegistry,
    pub metrics: PrometheusHandle,
    pub first_answers: FirstAnswers,
    /// Reads the files of imports.
    pub imports: Importer,
    /// Receives the files of this node.
    pub uploads: Uploads,
    pub readiness: Readiness,
    pub public_url: Option<String>,
    pub trusted_proxies: TrustedProxies,
    /// The places of requests.
    pub admission: Admission,
    /// How often API keys may ask.
    pub key_rates: KeyRates,
    /// The other sites whose pages may call the API.
    pub cors: Cors,
    /// How long a body may take.
    pub body_pace: BodyPace,
    /// The places of sockets that have not signed in yet.
    pub unsigned_sockets: Places,
    /// Whether /metrics stands beside the API.
    pub serves_metrics: bool,
    pub openapi: ApiDocument,
    /// Whether this is a demo, which shows the parts of the console.
    pub is_demo: bool,
    /// The month, from 1 to 12, with which a fiscal year begins.
    pub fiscal_year_starts: u32,
}

/// The gateway that a request came to.
///
/// # Panics
/// Outside an app of `app/startup.rs`, which gives every app its gateway.
pub fn gateway(request: &HttpRequest) -> Data<Gateway> {
    request.app_data::<Data<Gateway>>().expect("set for every app (startup.rs)").clone()
}
