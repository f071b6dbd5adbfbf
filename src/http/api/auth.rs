//! `/api/auth`: signing in and out.

use crate::http::error::HttpResult;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::answer;
use crate::http::client_info::client_info;
use crate::http::extract::{Anonymous, Authenticated, Body, NoParams, Params};
use crate::http::idempotency::{Shape, once};
use crate::http::state::Gateway;
use domain::session::record::SessionKind;
use domain::user::messages::{
    ChangePassword, ChangePreferences, ChangeProfile, Login, Logout, Refresh, SignedIn, Tokens,
};
use domain::user::record::{PreferenceChanges, Preferences, ProfileChanges, User};
use domain::user::rules::check_new_password;
use kernel::error::FieldError;
use kernel::text_schemas::NewPassword;
use kernel::validation::{Rules, faults_of};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[schema(example = "sales@example.com")]
    email: String,
    #[schema(format = "password", example = "kizuna-demo")]
    password: String,
}

impl Rules for Credentials {}
/// The header of the device's token, in requests and answers.
const DEVICE: &str = "x-device-token";

/// Sign in
#[utoipa::path(
    tag = "auth",
    security(()),
    params((
        "X-Device-Token" = Option<String>,
        Header,
        description = "The token of this device from an earlier sign-in: failures of others do not make its user wait",
    )),
    request_body = Credentials,
    responses((
        status = 200,
        body = Tokens,
        headers(("X-Device-Token" = String, description = "To be sent with the next sign-in on this device")),
    ))
)]
#[post("/auth/login")]
pub async fn login(
    gateway: Data<Gateway>,
    request: HttpRequest,
    by: Anonymous,
    _: Params<NoParams>,
    body: Body<Credentials>,
) -> HttpResult {
    let Credentials { email, password } = body.value;
    let login = Login {
        email,
        password,
        kind: SessionKind::Api,
        client: client_info(&request),
        replaces: None,
        device: request.headers().get(DEVICE).and_then(|token| token.to_str().ok()).map(str::to_owned),
        context: by.context(),
    };
    let SignedIn { tokens, device } = gateway.auth.service.ask(login).await?;
    Ok(HttpResponse::Ok().insert_header((DEVICE, device)).json(tokens))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    refresh_token: String,
}

impl Rules for RefreshBody {}

/// Exchange a refresh token; an old one ends the session
#[utoipa::path(tag = "auth", security(()), request_body = RefreshBody, responses((status = 200, body = Tokens)))]
#[post("/auth/refresh")]
pub async fn refresh(
    gateway: Data<Gateway>,
    request: HttpRequest,
    by: Anonymous,
    _: Params<NoParams>,
    body: Body<RefreshBody>,
) -> HttpResult {
    let refresh = Refresh {
        refresh_token: body.value.refresh_token,
        kind: SessionKind::Api,
        client: client_info(&request),
        context: by.context(),
    };
    Ok(HttpResponse::Ok().json(gateway.auth.service.ask(refresh).await?))
}

/// End this session
#[utoipa::path(tag = "auth", responses((status = 204, description = "The session is over")))]
#[post("/auth/logout")]
pub async fn logout(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    _: Params<NoParams>,
) -> HttpResult {
    gateway.auth.service.ask(Logout { client: client_info(&request), context: auth.context() }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The token's user
#[utoipa::path(tag = "auth", responses((status = 200, body = User)))]
#[get("/auth/me")]
pub async fn me(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    // Not as the proof of the token saw it, which may be a moment old.
    let user = gateway.auth.myself(&auth.caller).await?;
    Ok(answer::record(user.user.version, &user.user))
}

/// Change one's own name, language or time zone
#[utoipa::path(tag = "auth", request_body = ProfileChanges, responses((status = 200, body = User)))]
#[patch("/auth/me")]
pub async fn change_me(
    gateway: Data<Gateway>,
    auth: Authenticated,
    _: Params<NoParams>,
    body: Body<ProfileChanges>,
) -> HttpResult {
    let change = ChangeProfile { changes: body.value, context: auth.context() };
    let after = gateway.auth.service.ask(change).await?;
    Ok(answer::record(after.user.version, &after.user))
}

/// One's own preferences
#[utoipa::path(tag = "auth", responses((status = 200, body = Preferences)))]
#[get("/auth/me/preferences")]
pub async fn preferences(gateway: Data<Gateway>, auth: Authenticated, _: Params<NoParams>) -> HttpResult {
    let user = gateway.auth.with_preferences(&auth.caller).await?;
    Ok(answer::record(user.user.version, &user.preferences))
}

/// Change one's own preferences: the console's colours, and which notifications one does not want
#[utoipa::path(tag = "auth", request_body = PreferenceChanges, responses((status = 200, body = Preferences)))]
#[patch("/auth/me/preferences")]
pub async fn change_preferences(
    gateway: Data<Gateway>,
    auth: Authenticated,
    _: Params<NoParams>,
    body: Body<PreferenceChanges>,
) -> HttpResult {
    let change = ChangePreferences { changes: body.value, context: auth.context() };
    let after = gateway.auth.service.ask(change).await?;
    Ok(answer::record(after.user.version, &after.preferences))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    #[schema(format = "password")]
    current_password: String,
    #[schema(value_type = NewPassword)]
    new_password: String,
}

impl Rules for PasswordBody {
    fn faults(mut self) -> Vec<FieldError> {
        faults_of(check_new_password("new_password", &mut self.new_password))
    }
}

/// Change one's password; every other session ends
#[utoipa::path(
    tag = "auth",
    request_body = PasswordBody,
    responses((status = 204, description = "Changed; every other session is over"))
)]
#[post("/auth/password")]
pub async fn change_password(
    gateway: Data<Gateway>,
    request: HttpRequest,
    auth: Authenticated,
    _: Params<NoParams>,
    body: Body<PasswordBody>,
) -> HttpResult {
    let PasswordBody { current_password, new_password } = body.value;
    let client = client_info(&request);
    // Without its secrets the body is empty.
    once(&gateway, &request, &auth, &[], Shape::NO_CONTENT, async |context| {
        gateway.auth.service.ask(ChangePassword { current_password, new_password, client, context }).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}
