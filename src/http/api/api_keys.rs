//! `/api/api-keys`: the keys by which programs use the API (ADMIN).

use actix_web::web::Data;
use actix_web::{HttpRequest, delete, get, post};

use crate::http::answer;
use crate::http::answer::Deleted;
use crate::http::error::HttpResult;
use crate::http::extract::{Authenticated, Body, NoParams, Params, PathId};
use crate::http::idempotency::{Shape, once};
use crate::http::paging;
use crate::http::paging::list_params;
use crate::http::state::Gateway;
use domain::api_key::messages::{CreateApiKey, KEYS_NEWEST_FIRST, ListApiKeys, RevokeApiKey};
use domain::api_key::record::{ApiKeyView, CreatedKey, NewApiKey};
use kernel::ids::Id;

const PATH: &str = "/api/api-keys";

list_params! {
    /// Which keys.
    ApiKeyParams {}
}

/// List the API keys that are not revoked, newest first (ADMIN)
#[utoipa::path(tag = "api_keys", params(ApiKeyParams), responses((status = 200, body = Vec<ApiKeyView>)))]
#[get("/api-keys")]
pub async fn list(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    params: Params<ApiKeyParams>,
) -> HttpResult {
    let page = params.0.page(|keyset| KEYS_NEWEST_FIRST.fits(keyset))?;
    let keys = gateway.auth.service.ask(ListApiKeys { caller: auth.caller, page }).await?;
    Ok(paging::list(&request, &keys))
}

/// Make an API key (ADMIN): it acts for the user who makes it
///
/// The key is in this answer alone. An answer that is repeated under its `Idempotency-Key` has null in its place: nobody can
/// read the key again, and who has lost it revokes it and makes another.
#[utoipa::path(tag = "api_keys", request_body = NewApiKey, responses((status = 201, body = CreatedKey)))]
#[post("/api-keys")]
pub async fn create(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    _: Params<NoParams>,
    body: Body<NewApiKey>,
) -> HttpResult {
    let Body { value: api_key, digest } = body;
    once(&gateway, &request, &auth, &digest, Shape::created(PATH), async |context| {
        let made: CreatedKey = gateway.auth.service.ask(CreateApiKey { api_key, context }).await?;
        Ok(answer::created(PATH, made.view.id, made.view.version, &made))
    })
    .await
}

/// Revoke an API key (ADMIN): it stops on every node within a second
#[utoipa::path(tag = "api_keys", params(("id" = Id, Path)), responses((status = 200, body = Deleted)))]
#[delete("/api-keys/{id}")]
pub async fn revoke(
    gateway: Data<Gateway>,
    auth: Authenticated,
    id: PathId,
    _: Params<NoParams>,
) -> HttpResult {
    let revoke = RevokeApiKey { id: id.0, context: auth.context() };
    gateway.auth.service.ask(revoke).await?;
    Ok(answer::deleted(id.0))
}
