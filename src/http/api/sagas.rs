//! `/api/sagas`: deletions, merges and changes of many records under way, and their undo.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};

use crate::http::answer;
use crate::http::answer::Departed;
use crate::http::api::bulk::begin;
use crate::http::api::resource::ApiRequest;
use crate::http::extract::{Authenticated, NoParams, Nothing, OptionalBody, Params, PathId};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::saga::messages::{FindSaga, ListSagas, NEWEST_FIRST};
use domain::saga::record::Saga;
use domain::undo::messages::{PreviewUndo, UndoSaga};
use domain::undo::record::UndoPreview;
use kernel::ids::Id;

list_params! {
    /// Which page of sagas; the newest come first.
    SagaParams {}
}

/// List sagas
#[utoipa::path(tag = "sagas", params(SagaParams), responses((status = 200, body = Vec<Saga>)))]
#[get("/sagas")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<SagaParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let sagas = gateway.sagas.ask(ListSagas { caller: auth.caller, page }).await?;
    Ok(paging::list(&request, &sagas))
}

/// Read a saga
#[utoipa::path(tag = "sagas", params(("id" = Id, Path)), responses((status = 200, body = Saga)))]
#[get("/sagas/{id}")]
pub async fn read(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let saga = gateway.sagas.ask(FindSaga { id: id.0, caller: auth.caller }).await?;
    Ok(answer::record(saga.version, &saga))
}

/// Undo what a saga did: a saga of its own takes back what nobody has changed since
///
/// Deletions, merges and changes of many records of the last 90 days, each once. An undo can be undone, too.
#[utoipa::path(
    tag = "sagas",
    params(("id" = Id, Path)),
    request_body = Option<Nothing>,
    responses((status = 202, body = Departed))
)]
#[post("/sagas/{id}/undo")]
pub async fn undo(
    api: ApiRequest,
    id: PathId,
    _: Params<NoParams>,
    body: OptionalBody<Nothing>,
) -> HttpResult {
    let id = id.0;
    begin(&api, &body.0.digest, |context| api.gateway.sagas.ask(UndoSaga { id, context })).await
}

/// What the undo of a saga would do
#[utoipa::path(tag = "sagas", params(("id" = Id, Path)), responses((status = 200, body = UndoPreview)))]
#[get("/sagas/{id}/undo-preview")]
pub async fn undo_preview(api: ApiRequest, id: PathId, _: Params<NoParams>) -> HttpResult {
    let preview = PreviewUndo { id: id.0, caller: api.auth.caller };
    Ok(HttpResponse::Ok().json(api.gateway.sagas.ask(preview).await?))
}
