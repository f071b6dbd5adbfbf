//! `/api/admin`: what operators see and do (ADMIN).

use crate::http::error::HttpResult;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};

use crate::actors::operations::history::HistoryReading;
use crate::actors::operations::messages::{
    BreakerOrder, CheckIntegrity, ClusterReading, ConsumerReading, DeadLetterView, ForceBreaker,
    IntegrityReport, LATEST_FIRST, ListDeadLetters, ReadActors, ReadBreakers, ReadCluster, ReadConsumers,
    ReadHistory, RedriveDeadLetter,
};
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use kernel::ids::Id;
use runtime::breaker::BreakerReading;
use runtime::stats::ActorReading;

/// The nodes, the partitions of the log, and how far each consumer lags (ADMIN)
#[utoipa::path(tag = "admin", responses((status = 200, body = ClusterReading)))]
#[get("/admin/cluster")]
pub async fn cluster(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let reading = gateway.operations.ask(ReadCluster { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(reading))
}

/// Every actor of this node by name; the children of a kind count as one (ADMIN)
#[utoipa::path(tag = "admin", responses((status = 200, body = Vec<ActorReading>)))]
#[get("/admin/actors")]
pub async fn actors(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let readings = gateway.operations.ask(ReadActors { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(readings))
}

/// The last hour of this node, minute by minute: messages of actors, lags of consumers, events of the log (ADMIN)
#[utoipa::path(tag = "admin", responses((status = 200, body = HistoryReading)))]
#[get("/admin/history")]
pub async fn history(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let reading = gateway.operations.ask(ReadHistory { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(reading))
}

/// Every circuit breaker of this node (ADMIN)
#[utoipa::path(tag = "admin", responses((status = 200, body = Vec<BreakerReading>)))]
#[get("/admin/breakers")]
pub async fn breakers(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let readings = gateway.operations.ask(ReadBreakers { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(readings))
}

/// Keep a circuit breaker of this node open or closed, or let its calls decide again (ADMIN)
#[utoipa::path(
    tag = "admin",
    params(("name" = String, Path, example = "breaker.customer")),
    request_body = BreakerOrder,
    responses((status = 200, body = BreakerReading))
)]
#[post("/admin/breakers/{name}")]
pub async fn force_breaker(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    name: Path<String>,
    _: Params<NoParams>,
    body: Body<BreakerOrder>,
) -> HttpResult {
    let (name, order) = (name.into_inner(), body.value);
    once(&gateway, &request, &auth, &body.digest, Shape::OK, async |context| {
        Ok(HttpResponse::Ok().json(gateway.operations.ask(ForceBreaker { context, name, order }).await?))
    })
    .await
}

/// Every consumer of the event log and how far it is (ADMIN)
#[utoipa::path(tag = "admin", responses((status = 200, body = Vec<ConsumerReading>)))]
#[get("/admin/consumers")]
pub async fn consumers(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let readings = gateway.operations.ask(ReadConsumers { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(readings))
}

list_params! {
    /// Which dead letters; the latest come first.
    DeadLetterParams {
        /// Those of one consumer.
        #[param(pattern = r"^[^\x00]*$", example = "analytics.metrics")]
        consumer: String,
    }
}

/// Events that their consumer gave up on (ADMIN)
#[utoipa::path(
    tag = "admin",
    params(DeadLetterParams),
    responses((status = 200, body = Vec<DeadLetterView>))
)]
#[get("/admin/dead-letters")]
pub async fn dead_letters(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<DeadLetterParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| LATEST_FIRST.fits(keyset))?;
    let asked = ListDeadLetters { caller: auth.caller, consumer: params.0.consumer, page };
    let page = gateway.operations.ask(asked).await?;
    Ok(paging::list(&request, &page.view(DeadLetterView::from)))
}

/// Have a dead letter tried again now, with a fresh count of retries (ADMIN)
#[utoipa::path(tag = "admin", params(("id" = Id, Path)), responses((status = 200, body = DeadLetterView)))]
#[post("/admin/dead-letters/{id}/redrive")]
pub async fn redrive(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    // The path says it all: there is no body to tell two requests apart by.
    once(&gateway, &request, &auth, &[], Shape::OK, async |context| {
        let letter = gateway.operations.ask(RedriveDeadLetter { id: id.0, context }).await?;
        Ok(HttpResponse::Ok().json(DeadLetterView::from(&letter)))
    })
    .await
}

/// Whether every event took effect exactly once and in order (ADMIN)
#[utoipa::path(tag = "admin", responses((status = 200, body = IntegrityReport)))]
#[get("/admin/integrity")]
pub async fn integrity(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let report = gateway.operations.ask(CheckIntegrity { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(report))
}
