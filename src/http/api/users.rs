//! `/api/auth/users`.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::Deserialize;

use crate::http::answer;
use crate::http::answer::Departed;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, digest_without_secrets, once};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::saga::messages::{DeleteUser, Preview, PreviewUserDeletion};
use domain::user::messages::{ChangeUser, CreateUser, FindUser, ListUsers, USERS_BY_CREATION, UserFilter};
use domain::user::record::{NewUser, UserChanges};
use domain::user::record::{User, UserView};
use kernel::caller::Role;
use kernel::ids::Id;

const PATH: &str = "/api/auth/users";

list_params! {
    /// Which users.
    UserParams {
        role: Role,
        /// Words of the name or e-mail address, in any order: at most 16. Case, width and the kind of kana make no
        /// difference.
        #[param(max_length = 200, pattern = r"^[^\x00]*$")]
        q: String,
    }
}

/// List users
#[utoipa::path(tag = "users", params(UserParams), responses((status = 200, body = Vec<UserView>)))]
#[get("/auth/users")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<UserParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| USERS_BY_CREATION.fits(keyset))?;
    let filter = UserFilter { role: params.0.role, q: params.0.q };
    let users = gateway.auth.service.ask(ListUsers { caller: auth.caller, filter, page }).await?;
    Ok(paging::list(&request, &users))
}

/// Create a user (ADMIN)
#[utoipa::path(tag = "users", request_body = NewUser, responses((status = 201, body = User)))]
#[post("/auth/users")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    _: Params<NoParams>,
    body: Body<NewUser>,
) -> HttpResult {
    let user = body.value;
    let digest = digest_without_secrets(&NewUser { password: String::new(), ..user.clone() });
    once(&gateway, &request, &auth, &digest, Shape::created(PATH), async |context| {
        let made = gateway.auth.service.ask(CreateUser { user, context }).await?;
        Ok(answer::created(PATH, made.user.id, made.user.version, &made.user))
    })
    .await
}

/// Read a user
#[utoipa::path(tag = "users", params(("id" = Id, Path)), responses((status = 200, body = UserView)))]
#[get("/auth/users/{id}")]
pub async fn read(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let found = gateway.auth.service.ask(FindUser { id: id.0, caller: auth.caller }).await?;
    Ok(answer::record(found.version, &found.user))
}

/// Change a user (ADMIN)
#[utoipa::path(
    tag = "users",
    params(("id" = Id, Path)),
    request_body = UserChanges,
    responses((status = 200, body = User))
)]
#[patch("/auth/users/{id}")]
pub async fn change(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
    body: Body<UserChanges>,
) -> HttpResult {
    let change = ChangeUser { id: id.0, changes: body.value, context: auth.context() };
    let after = gateway.auth.service.ask(change).await?;
    Ok(answer::record(after.user.version, &after.user))
}

/// Who is to take over from a deleted user.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SuccessorParams {
    /// A live user; chosen by the rules if absent.
    #[serde(default)]
    reassign_to: Option<Id>,
}

/// Delete a user and hand over what they had (ADMIN): the saga tells how far that is
#[utoipa::path(tag = "users", params(("id" = Id, Path), SuccessorParams), responses((status = 200, body = Departed)))]
#[delete("/auth/users/{id}")]
pub async fn remove(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    params: Params<SuccessorParams>,
) -> HttpResult {
    let delete = DeleteUser { id: id.0, reassign_to: params.0.reassign_to, context: auth.context() };
    Ok(answer::departed(id.0, gateway.sagas.ask(delete).await?))
}

/// What the deletion of a user would touch, and who would receive (ADMIN)
#[utoipa::path(tag = "users", params(("id" = Id, Path), SuccessorParams), responses((status = 200, body = Preview)))]
#[get("/auth/users/{id}/deletion-preview")]
pub async fn preview(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    params: Params<SuccessorParams>,
) -> HttpResult {
    let preview = PreviewUserDeletion { id: id.0, reassign_to: params.0.reassign_to, caller: auth.caller };
    Ok(HttpResponse::Ok().json(gateway.sagas.ask(preview).await?))
}
