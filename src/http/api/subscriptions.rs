//! `/api/subscriptions`: cursors of the event log that Kizuna keeps, for readers who share them (ADMIN).

use std::time::Duration;

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actors::subscriptions::watch::Wanted;
use crate::http::answer;
use crate::http::api::long_poll;
use crate::http::api::long_poll::{Found, Span, until_found, within};
use crate::http::conventions::is_head;
use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Body, NoParams, Params};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::state::Gateway;
use domain::subscription::leases::{LEASE, LEASE_MAX};
use domain::subscription::messages::{
    AckLease, LeaseEvents, Leased, ListSubscriptions, PutSubscription, ReadSubscription, RemoveSubscription,
};
use domain::subscription::record::{Ack, NewAck, NewSubscription, SubscriptionView};
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::ids::Id;

const PATH: &str = "/api/subscriptions";

/// List the subscriptions by name: 100 at most (ADMIN)
#[utoipa::path(tag = "subscriptions", responses((status = 200, body = Vec<SubscriptionView>)))]
#[get("/subscriptions")]
pub async fn list(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let views = gateway.events.service.ask(ListSubscriptions { caller: auth.caller }).await?;
    Ok(HttpResponse::Ok().json(views))
}

/// Make a subscription, or replace its settings (ADMIN)
///
/// The positions of one that exists stay, unless `from` says something else than before: then they move there. So a reader
/// may send the same request at each of its starts.
#[utoipa::path(
    tag = "subscriptions",
    params(("name" = String, Path, pattern = r"^[a-z0-9][a-z0-9._-]{0,62}$", example = "warehouse")),
    request_body = NewSubscription,
    responses((status = 200, body = SubscriptionView), (status = 201, body = SubscriptionView))
)]
#[put("/subscriptions/{name}")]
pub async fn put(
    gateway: Data<Gateway>,
    auth: Authenticated,
    name: Path<String>,
    _: Params<NoParams>,
    body: Body<NewSubscription>,
) -> HttpResult {
    let put = PutSubscription { name: name.into_inner(), new: body.value, context: auth.context() };
    let (view, is_new) = gateway.events.service.ask(put).await?;
    if !is_new {
        return Ok(answer::record(view.version, &view));
    }
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("{PATH}/{}", view.name)))
        .insert_header((ETAG, format!("\"{}\"", view.version)))
        .json(view))
}

/// Read a subscription, and how many events wait for its readers (ADMIN)
#[utoipa::path(
    tag = "subscriptions",
    params(("name" = String, Path, example = "warehouse")),
    responses((status = 200, body = SubscriptionView))
)]
#[get("/subscriptions/{name}")]
pub async fn read(
    gateway: Data<Gateway>,
    auth: Authenticated,
    name: Path<String>,
    _: Params<NoParams>,
) -> HttpResult {
    let read = ReadSubscription { caller: auth.caller, name: name.into_inner() };
    let view = gateway.events.service.ask(read).await?;
    Ok(answer::record(view.version, &view))
}

/// The body of the answer to a deletion.
#[derive(Serialize, ToSchema)]
pub struct Removed {
    pub name: String,
    #[schema(example = "deleted")]
    pub status: &'static str,
}

/// Remove a subscription and its positions (ADMIN)
#[utoipa::path(
    tag = "subscriptions",
    params(("name" = String, Path, example = "warehouse")),
    responses((status = 200, body = Removed))
)]
#[delete("/subscriptions/{name}")]
pub async fn remove(
    gateway: Data<Gateway>,
    auth: Authenticated,
    name: Path<String>,
    _: Params<NoParams>,
) -> HttpResult {
    let name = name.into_inner();
    gateway.events.service.ask(RemoveSubscription { name: name.clone(), context: auth.context() }).await?;
    Ok(HttpResponse::Ok().json(Removed { name, status: "deleted" }))
}

/// Which batch.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BatchParams {
    /// Events of a batch.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<i64>,
    /// How long to wait for an event, if none is free: at most 30s.
    #[serde(default)]
    #[param(value_type = String, pattern = r"^([1-9]|[12][0-9]|30)s$", example = "20s")]
    wait: Option<Span>,
    /// How long the batch is the reader's: from 1s to 10m.
    #[serde(default)]
    #[param(value_type = String, pattern = r"^(([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)s|([1-9]|10)m)$", example = "30s")]
    lease: Option<Span>,
}

/// A batch of events, which is its reader's until it is acknowledged or the lease expires.
#[derive(Serialize, ToSchema)]
pub struct Batch<'a> {
    /// Acknowledge it by this; null if there are no events.
    #[schema(required)]
    pub lease: Option<Id>,
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// Events with the same `partitionkey` are in order, and with no other reader.
    pub events: Vec<CloudEvent<'a>>,
}

/// Lease the next events of a subscription (ADMIN)
///
/// What is not acknowledged before the lease expires is delivered again, to whoever asks next. HEAD leases nothing.
#[utoipa::path(
    tag = "subscriptions",
    params(("name" = String, Path, example = "warehouse"), BatchParams),
    responses((status = 200, body = Batch))
)]
#[get("/subscriptions/{name}/events")]
pub async fn lease_events(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    name: Path<String>,
    params: Params<BatchParams>,
) -> HttpResult {
    let (name, params) = (name.into_inner(), params.0);
    let limit = paging::request(params.limit, None, None, |_| true)?.limit;
    let wait = long_poll::wait(params.wait)?;
    let lengths = (Duration::from_secs(1)..=LEASE_MAX, "1s to 10m");
    let lease = within("lease", params.lease, lengths)?.unwrap_or(LEASE);
    if is_head(&request) {
        gateway.events.service.ask(ReadSubscription { caller: auth.caller, name }).await?;
        return Ok(HttpResponse::Ok().json(Batch { lease: None, expires_at: None, events: Vec::new() }));
    }
    let wanted = Wanted { types: Vec::new(), subscription: Some(name.clone()) };
    let look = async |caller| {
        gateway.events.service.ask(LeaseEvents { caller, name: name.clone(), limit, lease }).await
    };
    let found = |leased: &Leased| match leased.lease {
        Some(_) => Found::Something,
        None => Found::Nothing { again: leased.look_again, types: leased.types.clone() },
    };
    let leased = until_found(&gateway, &request, &auth, (wait, wanted), look, found).await?;
    let batch = Batch {
        lease: leased.lease.map(|(lease, _)| lease),
        expires_at: leased.lease.map(|(_, until)| until),
        events: leased.events.iter().map(CloudEvent::from).collect(),
    };
    Ok(HttpResponse::Ok().json(batch))
}

/// Acknowledge a batch: its events are not delivered again (ADMIN)
///
/// A lease that has expired or is of another subscription is 409 `lease_lost`, and nothing changes. Sent again, it is
/// answered as the first time.
#[utoipa::path(
    tag = "subscriptions",
    params(("name" = String, Path, example = "warehouse")),
    request_body = NewAck,
    responses((status = 200, body = Ack))
)]
#[post("/subscriptions/{name}/ack")]
pub async fn acknowledge(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    name: Path<String>,
    _: Params<NoParams>,
    body: Body<NewAck>,
) -> HttpResult {
    let Body { value: NewAck { lease }, digest } = body;
    let name = name.into_inner();
    once(&gateway, &request, &auth, &digest, Shape::OK, async |context| {
        let ack = gateway.events.service.ask(AckLease { name, lease, context }).await?;
        Ok(HttpResponse::Ok().json(ack))
    })
    .await
}
