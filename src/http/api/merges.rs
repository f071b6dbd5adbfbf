//! `/api/customers/{id}/merge`: two customers become one.

use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::answer::Departed;
use crate::http::api::bulk::begin;
use crate::http::api::resource::ApiRequest;
use crate::http::error::HttpResult;
use crate::http::extract::{Body, NoParams, Params, PathId};
use domain::customer::merge::{Merge, MergeChoice, MergeCustomers, MergePreview, PreviewMerge};
use kernel::ids::Id;

/// Which customer goes into this one.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MergeParams {
    other_id: Id,
}

/// Merge another customer into this one: a saga moves all that refers to it
///
/// The other's id answers 404 with `merged_into` from then on. `If-Match` is compared with this customer's version.
#[utoipa::path(
    tag = "customers",
    params(("id" = Id, Path)),
    request_body = Merge,
    responses((status = 202, body = Departed))
)]
#[post("/customers/{id}/merge")]
pub async fn merge_into(api: ApiRequest, id: PathId, _: Params<NoParams>, body: Body<Merge>) -> HttpResult {
    let (id, Body { value: merge, digest }) = (id.0, body);
    let service = &api.gateway.customers.service;
    begin(&api, &digest, |context| service.ask(MergeCustomers { id, merge, context })).await
}

/// What a merge would do, field by field, and how many records would move
#[utoipa::path(
    tag = "customers",
    params(("id" = Id, Path), MergeParams),
    responses((status = 200, body = MergePreview))
)]
#[get("/customers/{id}/merge-preview")]
pub async fn merge_preview(api: ApiRequest, id: PathId, params: Params<MergeParams>) -> HttpResult {
    let merge = Merge { other_id: params.0.other_id, keep: MergeChoice::default() };
    let preview = PreviewMerge { id: id.0, merge, caller: api.auth.caller };
    Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?))
}
