//! `/api/sagas`: deletions under way, and what one would touch.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};

use super::answer;
use super::extract::{NoParams, Params, PathId, Signed};
use super::paging::{self, list_params};
use super::state::Gateway;
use crate::actors::refusal::Refusal;
use crate::actors::sagas::domain::Saga;
use crate::actors::sagas::messages::{FindSaga, ListSagas};
use crate::ids::Id;
use crate::persistence::sagas::NEWEST_FIRST;

type Answer = Result<HttpResponse, Refusal>;

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
    signed: Signed,
    params: Params<SagaParams>,
) -> Answer {
    let page = params.0.page(|keyset| NEWEST_FIRST.fits(keyset))?;
    let sagas = gateway.sagas.ask(ListSagas { caller: signed.caller, page }).await?;
    Ok(paging::list(&request, &sagas))
}

/// Read a saga
#[utoipa::path(tag = "sagas", params(("id" = Id, Path)), responses((status = 200, body = Saga)))]
#[get("/sagas/{id}")]
pub async fn read(gateway: Data<Gateway>, signed: Signed, id: PathId, _: Params<NoParams>) -> Answer {
    let saga = gateway.sagas.ask(FindSaga { id: id.0, caller: signed.caller }).await?;
    Ok(answer::record(saga.version, &saga))
}
