//! `/api/auth/sessions`: one's own sessions.

use actix_web::web::Data;
use actix_web::{HttpRequest, delete, get};

use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::client_info::client_info;
use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, NoParams, Params, PathId};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::session::record::SessionView;
use domain::user::messages::{EndSession, ListSessions, SESSIONS_NEWEST_FIRST};
use kernel::ids::Id;

list_params! {
    /// Which part of the list.
    SessionParams {}
}

/// List one's sessions, the newest first
#[utoipa::path(tag = "auth", params(SessionParams), responses((status = 200, body = Vec<SessionView>)))]
#[get("/auth/sessions")]
pub async fn list_sessions(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<SessionParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| SESSIONS_NEWEST_FIRST.fits(keyset))?;
    let sessions = gateway.auth.service.ask(ListSessions { caller: auth.caller, page }).await?;
    Ok(paging::list(&request, &sessions))
}

/// End one of one's sessions, on whichever device it is
#[utoipa::path(tag = "auth", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/auth/sessions/{id}")]
pub async fn end_session(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let end = EndSession { id: id.0, client: client_info(&request), context: auth.context() };
    gateway.auth.service.ask(end).await?;
    Ok(answer::deleted(id.0))
}
