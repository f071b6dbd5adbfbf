//! `/api/webhooks`: addresses to which events are sent, and what became of each (ADMIN).

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actors::webhooks::courier;
use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::api::resource::ApiRequest;
use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PartId, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::webhook::delivery::DeliveryState;
use domain::webhook::form::{NewWebhook, WebhookChanges};
use domain::webhook::messages::{
    Begun, ChangeWebhook, CreateWebhook, DeleteWebhook, DeliveryReading, FindWebhook, ListDeliveries,
    ListWebhooks, NEWEST_FIRST, PingWebhook, Redeliver, Replay, ReplayWebhook, RotateSecret,
};
use domain::webhook::record::{Webhook, WebhookView};
use domain::webhook::schedule::Failure;
use kernel::clock::Timestamp;
use kernel::cloud_event::CloudEvent;
use kernel::ids::Id;

const PATH: &str = "/api/webhooks";

/// What goes on beside the request.
const ACCEPTED: Shape = Shape { status: 202, location: None };

list_params! {
    /// Which page of webhooks; the newest come first.
    WebhookParams {}
}

list_params! {
    /// Which deliveries; the newest come first.
    DeliveryParams {
        /// Those in this state.
        #[param(inline)]
        state: DeliveryState,
    }
}

/// An event on its way to a webhook, and its last try.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView<'a> {
    /// The `webhook-id`: always the same for an event and a webhook.
    pub id: Id,
    pub event_id: Id,
    #[schema(example = "customer.created")]
    pub event_type: &'a str,
    pub state: DeliveryState,
    /// How often it was tried since it was made, redelivered or replayed.
    pub tries: i64,
    /// When it was made, redelivered or replayed.
    pub created_at: Timestamp,
    /// Null when it has ended. While the endpoint's breaker is open it may be later.
    #[schema(required)]
    pub next_try_at: Option<Timestamp>,
    #[schema(required)]
    pub ended_at: Option<Timestamp>,
    /// When the last try began.
    #[schema(required)]
    pub tried_at: Option<Timestamp>,
    /// How long the last try took.
    #[schema(required)]
    pub took_ms: Option<i64>,
    /// Why the last try failed; null if it did not, and before the first.
    #[schema(required)]
    pub failure: Option<Failure>,
    pub request: RequestView<'a>,
    /// The last answer; null if there was none.
    #[schema(required)]
    pub answer: Option<AnswerView<'a>>,
}

/// What is sent.
#[derive(Serialize, ToSchema)]
pub struct RequestView<'a> {
    /// The headers of the last try; none before the first.
    #[schema(value_type = BTreeMap<String, String>)]
    pub headers: BTreeMap<&'static str, String>,
    pub body: CloudEvent<'a>,
}

/// What the endpoint answered.
#[derive(Serialize, ToSchema)]
pub struct AnswerView<'a> {
    #[schema(example = 200)]
    pub status: i64,
    /// Its first 4 KiB.
    pub body: &'a str,
}

impl<'a> From<&'a DeliveryReading> for DeliveryView<'a> {
    fn from(DeliveryReading { delivery, event }: &'a DeliveryReading) -> Self {
        let signed = delivery.tried_at.zip(delivery.signature.as_deref());
        let headers = signed.map(|(at, signature)| courier::headers(&delivery.id.to_string(), at, signature));
        Self {
            id: delivery.id,
            event_id: delivery.event_id,
            event_type: &delivery.event_type,
            state: delivery.state,
            tries: delivery.tries,
            created_at: delivery.created_at,
            next_try_at: delivery.next_try_at,
            ended_at: delivery.ended_at,
            tried_at: delivery.tried_at,
            took_ms: delivery.took_ms,
            failure: delivery.failure,
            request: RequestView {
                headers: headers.into_iter().flatten().collect(),
                body: CloudEvent::from(event),
            },
            answer: delivery
                .status
                .map(|status| AnswerView { status, body: delivery.answer.as_deref().unwrap_or_default() }),
        }
    }
}

/// List webhooks, the newest first: 100 at most (ADMIN)
#[utoipa::path(tag = "webhooks", params(WebhookParams), responses((status = 200, body = Vec<WebhookView>)))]
#[get("/webhooks")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<WebhookParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let page = gateway.webhooks.ask(ListWebhooks { caller: auth.caller, page }).await?;
    Ok(paging::list(&request, &page))
}

/// Have events sent to an address, signed as Standard Webhooks says (ADMIN)
///
/// The answer has the secret that signs, and no other answer has: not even this one's replay under its `Idempotency-Key`.
#[utoipa::path(tag = "webhooks", request_body = NewWebhook, responses((status = 201, body = WebhookView)))]
#[post("/webhooks")]
pub async fn create(api: ApiRequest, _: Params<NoParams>, body: Body<NewWebhook>) -> HttpResult {
    let Body { value: new, digest } = body;
    once(&api.gateway, &api.http, &api.auth, &digest, Shape::created(PATH), async |context| {
        let made = api.gateway.webhooks.ask(CreateWebhook { new, context }).await?;
        Ok(answer::created(PATH, made.webhook.id, made.webhook.version, &made.view()))
    })
    .await
}

fn record(webhook: &Webhook) -> HttpResponse {
    answer::record(webhook.version, &WebhookView::from(webhook))
}

/// Read a webhook (ADMIN)
#[utoipa::path(tag = "webhooks", params(("id" = Id, Path)), responses((status = 200, body = WebhookView)))]
#[get("/webhooks/{id}")]
pub async fn read(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let find = FindWebhook { id: id.0, caller: api.auth.caller };
    Ok(record(&api.gateway.webhooks.ask(find).await?))
}

/// Change, enable or disable a webhook (ADMIN)
///
/// What happens while it is disabled is not sent later; a replay sends it.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Id, Path)),
    request_body = WebhookChanges,
    responses((status = 200, body = WebhookView))
)]
#[patch("/webhooks/{id}")]
pub async fn change(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: Body<WebhookChanges>,
) -> HttpResult {
    let change = ChangeWebhook { id: id.0, changes: body.value, context: api.auth.context() };
    Ok(record(&api.gateway.webhooks.ask(change).await?))
}

/// Delete a webhook, with its deliveries (ADMIN)
#[utoipa::path(tag = "webhooks", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/webhooks/{id}")]
pub async fn remove(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    api.gateway.webhooks.ask(DeleteWebhook { id: id.0, context: api.auth.context() }).await?;
    Ok(answer::deleted(id.0))
}

/// Give a webhook a new secret, which this answer has (ADMIN)
///
/// The one before it signs, too, for 24 hours more.
#[utoipa::path(tag = "webhooks", params(("id" = Id, Path)), responses((status = 200, body = WebhookView)))]
#[post("/webhooks/{id}/rotate")]
pub async fn rotate(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    once(&api.gateway, &api.http, &api.auth, &[], Shape::OK, async |context| {
        let made = api.gateway.webhooks.ask(RotateSecret { id: id.0, context }).await?;
        Ok(answer::record(made.webhook.version, &made.view()))
    })
    .await
}

/// Send a test, an event `webhook.pinged`, to a webhook (ADMIN)
///
/// It is tried once. Its delivery says what the endpoint answered.
#[utoipa::path(tag = "webhooks", params(("id" = Id, Path)), responses((status = 202, body = Begun)))]
#[post("/webhooks/{id}/ping")]
pub async fn ping(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    once(&api.gateway, &api.http, &api.auth, &[], ACCEPTED, async |context| {
        let begun = api.gateway.webhooks.ask(PingWebhook { id: id.0, context }).await?;
        Ok(HttpResponse::Accepted().json(begun))
    })
    .await
}

/// Send all events since a time again, each under the id that it had (ADMIN)
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Id, Path)),
    request_body = Replay,
    responses((status = 202, body = Begun))
)]
#[post("/webhooks/{id}/replay")]
pub async fn replay(api: ApiRequest, id: PathId, _: Params<NoParams>, body: Body<Replay>) -> HttpResult {
    let Body { value: order, digest } = body;
    once(&api.gateway, &api.http, &api.auth, &digest, ACCEPTED, async |context| {
        let begun = api.gateway.webhooks.ask(ReplayWebhook { id: id.0, order, context }).await?;
        Ok(HttpResponse::Accepted().json(begun))
    })
    .await
}

/// List the deliveries of a webhook, the newest first (ADMIN)
///
/// A delivery is kept for 7 days after it has ended.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Id, Path), DeliveryParams),
    responses((status = 200, body = Vec<DeliveryView>))
)]
#[get("/webhooks/{id}/deliveries")]
pub async fn deliveries(api: ApiRequest, id: PathId, params: Params<DeliveryParams>) -> HttpResult {
    let page = params.0.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let asked = ListDeliveries { webhook: id.0, state: params.0.state, caller: api.auth.caller, page };
    let page = api.gateway.webhooks.ask(asked).await?;
    Ok(paging::list(&api.http, &page.view(DeliveryView::from)))
}

/// Send a delivery again, under its id and with all its tries (ADMIN)
///
/// Later deliveries of its aggregate wait behind it until it has ended.
#[utoipa::path(
    tag = "webhooks",
    params(("id" = Id, Path), ("delivery_id" = Id, Path)),
    responses((status = 202, body = Begun))
)]
#[post("/webhooks/{id}/deliveries/{delivery_id}/redeliver")]
pub async fn redeliver(api: ApiRequest, id: PartId, _: Params<NoParams>) -> HttpResult {
    once(&api.gateway, &api.http, &api.auth, &[], ACCEPTED, async |context| {
        let redeliver = Redeliver { webhook: id.record, id: id.id, context };
        Ok(HttpResponse::Accepted().json(api.gateway.webhooks.ask(redeliver).await?))
    })
    .await
}
