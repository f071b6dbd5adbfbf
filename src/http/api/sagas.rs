//! `/api/sagas`: deletions under way, and what one would touch.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, get};

use crate::http::answer;
use crate::http::extract::{Authenticated, NoParams, Params, PathId};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::saga::messages::{FindSaga, ListSagas, NEWEST_FIRST};
use domain::saga::record::Saga;
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
