//! `/api/auth/me/views`: the views of lists that one has saved.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::state::Gateway;
use domain::lists::ListName;
use domain::saved_view::messages::{ChangeView, ListViews, RemoveView, SaveView};
use domain::saved_view::record::{NewView, SavedView, ViewChanges};
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

const PATH: &str = "/api/auth/me/views";

/// Which views.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ViewParams {
    /// Those of this list.
    #[serde(default)]
    #[param(inline)]
    list: Option<ListName>,
}

/// List one's saved views, in the order of their creation: 50 at most
#[utoipa::path(tag = "auth", params(ViewParams), responses((status = 200, body = Vec<SavedView>)))]
#[get("/auth/me/views")]
pub async fn list_views(
    gateway: Data<Gateway>,
    auth: Authenticated,
    params: Params<ViewParams>,
) -> HttpResult {
    let list = ListViews { caller: auth.caller, list: params.0.list };
    Ok(HttpResponse::Ok().json(gateway.auth.service.ask(list).await?))
}

/// Save a view of a list
#[utoipa::path(tag = "auth", request_body = NewView, responses((status = 201, body = SavedView)))]
#[post("/auth/me/views")]
pub async fn save_view(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    _: Params<NoParams>,
    body: Body<NewView>,
) -> HttpResult {
    let Body { value: view, digest } = body;
    once(&gateway, &request, &auth, &digest, Shape::created(PATH), async |context| {
        let saved = gateway.auth.service.ask(SaveView { view, context }).await?;
        Ok(answer::created(PATH, saved.id, saved.version, &saved))
    })
    .await
}

/// Read one of one's views
#[utoipa::path(tag = "auth", params(("id" = Id, Path)), responses((status = 200, body = SavedView)))]
#[get("/auth/me/views/{id}")]
pub async fn read_view(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let views = gateway.auth.service.ask(ListViews { caller: auth.caller, list: None }).await?;
    let view = views.into_iter().find(|view| view.id == id.0);
    let view = view.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    Ok(answer::record(view.version, &view))
}

/// Rename a view, change its settings, or make it the default of its list
#[utoipa::path(
    tag = "auth",
    params(("id" = Id, Path)),
    request_body = ViewChanges,
    responses((status = 200, body = SavedView))
)]
#[patch("/auth/me/views/{id}")]
pub async fn change_view(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<ViewChanges>,
) -> HttpResult {
    let change = ChangeView { id: id.0, changes: body.value, context: auth.context() };
    let view = gateway.auth.service.ask(change).await?;
    Ok(answer::record(view.version, &view))
}

/// Remove one of one's views
#[utoipa::path(tag = "auth", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/auth/me/views/{id}")]
pub async fn remove_view(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    gateway.auth.service.ask(RemoveView { id: id.0, context: auth.context() }).await?;
    Ok(answer::deleted(id.0))
}
