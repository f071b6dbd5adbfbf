//! `POST /api/…/bulk`: many records of a list are changed or deleted together.

use actix_web::{HttpResponse, post};
use kernel::context::Context;
use kernel::ids::Id;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::answer;
use crate::http::answer::Departed;
use crate::http::api::resource::ApiRequest;
use crate::http::error::HttpResult;
use crate::http::extract::{Body, Params};
use crate::http::idempotency::{Shape, once_viewed};
use domain::bulk::change::{CustomersBulk, DealsBulk, MeetingsBulk, TasksBulk};
use domain::bulk::messages::{
    ChangeCustomers, ChangeDeals, ChangeMeetings, ChangeTasks, PreviewCustomers, PreviewDeals,
    PreviewMeetings, PreviewTasks,
};
use domain::bulk::progress::BulkPreview;
use kernel::error::Error;

/// What is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BulkParams {
    /// Answer what the change would do, and do nothing.
    #[serde(default)]
    preview: Option<bool>,
}

impl BulkParams {
    fn is_preview(&self) -> bool {
        self.preview == Some(true)
    }
}

/// 202 with the saga that `start` begins, once for each `Idempotency-Key`.
pub(super) async fn begin<F>(api: &ApiRequest, digest: &[u8], start: impl FnOnce(Context) -> F) -> HttpResult
where
    F: Future<Output = Result<Id, Error>>,
{
    let view = |kept: &serde_json::value::RawValue| {
        serde_json::to_string(&answer::accepted_body(serde_json::from_str(kept.get())?))
    };
    once_viewed(&api.gateway, &api.http, &api.auth, digest, Shape::ACCEPTED, view, async |context| {
        Ok(answer::accepted(start(context).await?))
    })
    .await
}

/// Change or delete many customers: a saga does it, batch by batch
///
/// With `preview`, only what would be done. Customers that are missing, or not the caller's to change, are refused, and named.
#[utoipa::path(
    tag = "customers",
    params(BulkParams),
    request_body = CustomersBulk,
    responses((status = 202, body = Departed), (status = 200, body = BulkPreview))
)]
#[post("/customers/bulk")]
pub async fn customers(api: ApiRequest, params: Params<BulkParams>, body: Body<CustomersBulk>) -> HttpResult {
    let Body { value, digest } = body;
    let (selection, change) = value.checked()?;
    if params.0.is_preview() {
        let preview = PreviewCustomers { selection, change, caller: api.auth.caller };
        return Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?));
    }
    let service = &api.gateway.customers.service;
    begin(&api, &digest, |context| service.ask(ChangeCustomers { selection, change, context })).await
}

/// Change or delete many meetings: a saga does it, batch by batch
///
/// With `preview`, only what would be done. Meetings that are missing, or not the caller's to change, are refused, and named.
#[utoipa::path(
    tag = "meetings",
    params(BulkParams),
    request_body = MeetingsBulk,
    responses((status = 202, body = Departed), (status = 200, body = BulkPreview))
)]
#[post("/meetings/bulk")]
pub async fn meetings(api: ApiRequest, params: Params<BulkParams>, body: Body<MeetingsBulk>) -> HttpResult {
    let Body { value, digest } = body;
    let (selection, change) = value.checked()?;
    if params.0.is_preview() {
        let preview = PreviewMeetings { selection, change, caller: api.auth.caller };
        return Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?));
    }
    let service = &api.gateway.sales.service;
    begin(&api, &digest, |context| service.ask(ChangeMeetings { selection, change, context })).await
}

/// Change or delete many tasks: a saga does it, batch by batch
///
/// With `preview`, only what would be done. Tasks that are missing, or not the caller's to change, are refused, and named.
#[utoipa::path(
    tag = "tasks",
    params(BulkParams),
    request_body = TasksBulk,
    responses((status = 202, body = Departed), (status = 200, body = BulkPreview))
)]
#[post("/tasks/bulk")]
pub async fn tasks(api: ApiRequest, params: Params<BulkParams>, body: Body<TasksBulk>) -> HttpResult {
    let Body { value, digest } = body;
    let (selection, change) = value.checked()?;
    if params.0.is_preview() {
        let preview = PreviewTasks { selection, change, caller: api.auth.caller };
        return Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?));
    }
    let service = &api.gateway.sales.service;
    begin(&api, &digest, |context| service.ask(ChangeTasks { selection, change, context })).await
}

/// Change or delete many deals: a saga does it, batch by batch
///
/// With `preview`, only what would be done. Deals that are missing, not the caller's to change, or closed otherwise, are refused, and named.
#[utoipa::path(
    tag = "deals",
    params(BulkParams),
    request_body = DealsBulk,
    responses((status = 202, body = Departed), (status = 200, body = BulkPreview))
)]
#[post("/deals/bulk")]
pub async fn deals(api: ApiRequest, params: Params<BulkParams>, body: Body<DealsBulk>) -> HttpResult {
    let Body { value, digest } = body;
    let (selection, change) = value.checked()?;
    if params.0.is_preview() {
        let preview = PreviewDeals { selection, change, caller: api.auth.caller };
        return Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?));
    }
    let service = &api.gateway.opportunity.service;
    begin(&api, &digest, |context| service.ask(ChangeDeals { selection, change, context })).await
}
