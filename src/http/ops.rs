//! Outside `/api`: health, readiness, metrics, the contract and its page.

use crate::http::error::HttpResult;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use crate::actors::operations::messages::ReadLag;
use crate::http::state::Gateway;
use domain::subscription::messages::ReadPending;
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};

/// Alive: the process answers
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Ready: may take traffic
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[get("/readyz")]
pub async fn readyz(gateway: Data<Gateway>) -> HttpResult {
    gateway.readiness.check().await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}

/// Prometheus metrics
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[get("/metrics")]
pub async fn metrics(gateway: Data<Gateway>) -> HttpResult {
    if !gateway.serves_metrics {
        return Err(Error::new(ErrorCode::NotFound).into());
    }
    Ok(expose(&gateway).await)
}

/// The metrics' text, with the figures that are read when somebody looks. While the database is away the lag
/// of the consumers stays what it was, and the other figures are needed the more.
pub async fn expose(gateway: &Gateway) -> HttpResponse {
    let lags = gateway.operations.ask(ReadLag { caller: Caller::system() }).await.unwrap_or_default();
    for (consumer, lag) in lags {
        ::metrics::gauge!("kizuna_consumer_lag_events", "consumer" => consumer).set(lag as f64);
    }
    let pending = gateway.events.service.ask(ReadPending { caller: Caller::system() }).await;
    for (subscription, pending) in pending.unwrap_or_default() {
        ::metrics::gauge!("kizuna_subscription_pending", "subscription" => subscription).set(pending as f64);
    }
    // The actors of a webhook go with it, and a metric stays: these are in /api/admin/actors alone.
    let of_webhook = |name: &str| name.starts_with("webhook.") || name.starts_with("webhooks.endpoint.");
    for actor in gateway.actor_stats.read().into_iter().filter(|actor| !of_webhook(&actor.name)) {
        let name = actor.name;
        ::metrics::gauge!("kizuna_actor_mailbox", "actor" => name.clone()).set(actor.mailbox as f64);
        ::metrics::gauge!("kizuna_actor_live", "actor" => name.clone()).set(actor.live as f64);
        ::metrics::counter!("kizuna_actor_handled_total", "actor" => name.clone()).absolute(actor.handled);
        ::metrics::counter!("kizuna_actor_failed_total", "actor" => name.clone()).absolute(actor.failed);
        ::metrics::counter!("kizuna_actor_restarts_total", "actor" => name).absolute(actor.restarts);
    }
    if let Some(bytes) = resident_memory() {
        ::metrics::gauge!("process_resident_memory_bytes").set(bytes);
    }
    gateway.metrics.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(gateway.metrics.render())
}

/// The memory of this process, where Linux tells it.
fn resident_memory() -> Option<f64> {
    // A file of the kernel, which is read without waiting.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// This document
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Object)))]
#[get("/openapi.json")]
pub async fn openapi(gateway: Data<Gateway>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-cache")).json(&**gateway.openapi)
}

/// The events and the frames of the live feed, as AsyncAPI 3.0
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Object)))]
#[get("/asyncapi.json")]
pub async fn asyncapi() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .json(crate::http::asyncapi::document())
}
