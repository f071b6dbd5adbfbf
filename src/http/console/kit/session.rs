//! The console's session: two cookies that hold the tokens of an ordinary sign-in, and their renewal.
//!
//! A page whose access token has run out is renewed on the way to it. A browser asks for several things at once,
//! through whichever nodes, and a refresh token is good for one refresh: so the console's sessions have a grace. The first
//! request exchanges the token, and for a moment the others get the tokens it was exchanged for. After that it is
//! what it is for the API: a used token, which ends the session (RFC 9700 §4.14.2). Tokens of the API's sessions are no
//! cookies: they are refused here.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::cookie::{Cookie, CookieJar, SameSite};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::actors::auth::token::Use;
use crate::http::client_info::client_info;
use crate::http::request_ids::RequestIds;
use crate::http::site::{CookieNames, cookie_names, is_secure, is_this_site};
use crate::http::state::{Gateway, gateway};
use domain::session::record::SessionKind;
use domain::user::messages::{Login, Principal, Refresh, SignedIn, Tokens};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// How long a form may lie open. The session it belongs to ends sooner or is still good.
const FORM_LASTS: Duration = Duration::from_hours(24 * 30);

/// Whom a request of the console comes from, if somebody is signed in.
#[derive(Clone)]
pub struct Identity(pub Option<Principal>);

/// The two tokens, and when the session ends unless it is renewed.
pub struct Pair {
    access: String,
    refresh: String,
    until: Timestamp,
}

impl Pair {
    fn of(tokens: Tokens, gateway: &Gateway) -> Result<Self, Error> {
        let until = end_of(gateway, Use::Refresh, &tokens.refresh_token)?;
        Ok(Self { access: tokens.access_token, refresh: tokens.refresh_token, until })
    }
}

/// When a token that auth has just made ends.
fn end_of(gateway: &Gateway, use_: Use, token: &str) -> Result<Timestamp, Error> {
    let claims = gateway.auth.keys.check(use_, token, gateway.clock.now())?;
    Ok(Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)))
}

/// Exchanges a refresh token, or takes what it was exchanged for a moment ago.
async fn renew(gateway: &Gateway, token: &str, request: &HttpRequest) -> Result<Pair, Error> {
    let refresh = Refresh {
        refresh_token: token.to_owned(),
        kind: SessionKind::Console,
        client: client_info(request),
        context: RequestIds::of(request).context(),
    };
    Pair::of(gateway.auth.service.ask(refresh).await?, gateway)
}

/// The session of the user who requests a page, and the tokens to hand over if they are new.
///
/// # Errors
/// `unavailable`, `overloaded`; whoever is not signed in (any more) is nobody.
pub async fn identify(request: &HttpRequest) -> Result<(Identity, Option<Pair>), Error> {
    let gateway = gateway(request);
    let CookieNames { session, refresh, .. } = cookie_names(&gateway);
    if let Some(access) = request.cookie(session) {
        match gateway.auth.authenticate_as(SessionKind::Console, access.value()).await {
            Ok(principal) => return Ok((Identity(Some(principal)), None)),
            Err(error) if error.code.status() != 401 => return Err(error),
            Err(_) => {}
        }
    }
    let Some(refresh) = request.cookie(refresh) else { return Ok((Identity(None), None)) };
    match renew(&gateway, refresh.value(), request).await {
        Ok(pair) => {
            let principal = gateway.auth.authenticate_as(SessionKind::Console, &pair.access).await;
            match principal {
                Ok(principal) => Ok((Identity(Some(principal)), Some(pair))),
                Err(error) if error.code.status() == 401 => Ok((Identity(None), None)),
                Err(error) => Err(error),
            }
        }
        Err(error) if error.code.status() == 401 => Ok((Identity(None), None)),
        Err(error) => Err(error),
    }
}

/// A sign-in: the tokens, and the token of the device, which outlives the session.
pub struct Opened {
    pair: Pair,
    device: String,
    device_until: Timestamp,
}

/// Signs in. The session that the browser had ends.
///
/// # Errors
/// `invalid_credentials`, `too_many_attempts`, `unavailable`, `overloaded`.
pub async fn open(request: &HttpRequest, email: &str, password: &str) -> Result<Opened, Error> {
    let gateway = gateway(request);
    let login = Login {
        email: email.to_owned(),
        password: password.to_owned(),
        kind: SessionKind::Console,
        client: client_info(request),
        replaces: present_session(request, &gateway),
        device: request.cookie(cookie_names(&gateway).device).map(|cookie| cookie.value().to_owned()),
        context: RequestIds::of(request).context(),
    };
    let SignedIn { tokens, device } = gateway.auth.service.ask(login).await?;
    let device_until = end_of(&gateway, Use::Device, &device)?;
    Ok(Opened { pair: Pair::of(tokens, &gateway)?, device, device_until })
}

/// Whether the request comes with cookies of a session. If it is nobody's, that session has ended.
pub fn had_session(request: &HttpRequest) -> bool {
    let CookieNames { session, refresh, .. } = cookie_names(&gateway(request));
    [*session, *refresh].iter().any(|name| request.cookie(name).is_some())
}

/// The session of the browser's refresh token.
fn present_session(request: &HttpRequest, gateway: &Gateway) -> Option<Id> {
    let refresh = request.cookie(cookie_names(gateway).refresh)?;
    let claims = gateway.auth.keys.check(Use::Refresh, refresh.value(), gateway.clock.now());
    claims.ok().map(|claims| claims.sid)
}

/// Gives the browser the tokens.
pub fn hand_over(response: &mut ServiceResponse<BoxBody>, pair: &Pair) {
    let request = response.request().clone();
    // An answer that ends the session has the last word.
    if !response.headers().contains_key(header::SET_COOKIE) {
        set(&request, response.response_mut(), pair);
    }
}

/// Sets the cookies of a sign-in in an answer.
pub fn begin(request: &HttpRequest, response: &mut HttpResponse<BoxBody>, opened: &Opened) {
    set(request, response, &opened.pair);
    let gateway = gateway(request);
    let lasts = opened.device_until.since(gateway.clock.now());
    let cookie = Cookie::build(cookie_names(&gateway).device, opened.device.clone()).max_age(seconds(lasts));
    add(request, response, cookie.same_site(SameSite::Strict).finish());
}

/// Sets the cookies of a session in an answer.
pub fn set(request: &HttpRequest, response: &mut HttpResponse<BoxBody>, pair: &Pair) {
    let lasts = seconds(pair.until.since(gateway(request).clock.now()));
    let CookieNames { session, refresh, .. } = cookie_names(&gateway(request));
    // `Lax`, so that a link in a mail leads to its page. Every page may have to be renewed: neither has a narrower path.
    for (name, value, same_site) in
        [(*session, &pair.access, SameSite::Lax), (*refresh, &pair.refresh, SameSite::Strict)]
    {
        let cookie = Cookie::build(name, value.clone()).max_age(lasts).same_site(same_site);
        add(request, response, cookie.finish());
    }
}

/// Takes the tokens away.
pub fn clear(request: &HttpRequest, response: &mut HttpResponse<BoxBody>) {
    let CookieNames { session, refresh, .. } = cookie_names(&gateway(request));
    for name in [*session, *refresh] {
        let cookie = Cookie::build(name, "").max_age(actix_web::cookie::time::Duration::ZERO);
        add(request, response, cookie.same_site(SameSite::Lax).finish());
    }
}

fn seconds(lasts: Duration) -> actix_web::cookie::time::Duration {
    actix_web::cookie::time::Duration::seconds(i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX))
}

fn add(request: &HttpRequest, response: &mut HttpResponse<BoxBody>, mut cookie: Cookie<'static>) {
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_secure(is_secure(&gateway(request)));
    let mut jar = CookieJar::new();
    jar.add(cookie);
    for cookie in jar.delta() {
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// What a form of this session carries; nobody else can make it, nor use it in another session.
///
/// # Errors
/// `internal_error` when signing fails, which HMAC never does.
pub fn vouch(gateway: &Gateway, user: Id, session: Id) -> Result<String, Error> {
    let now = gateway.clock.now();
    gateway.auth.keys.issue(Use::Form, user, session, 0, now, now.plus(FORM_LASTS))
}

/// Whom a form was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormOf {
    ThisSession,
    /// Another session of the same user, who has signed in again since.
    OtherSession,
    /// Somebody else, or it is no form of ours.
    Nobody,
}

/// Whom a form with this token was made for, which the caller has sent.
pub fn form_of(gateway: &Gateway, token: Option<&str>, caller: &Caller) -> FormOf {
    let claims = token.map(|token| gateway.auth.keys.check(Use::Form, token, gateway.clock.now()));
    match claims {
        Some(Ok(claims)) if claims.sub != caller.user_id => FormOf::Nobody,
        Some(Ok(claims)) if claims.sid == caller.session_id => FormOf::ThisSession,
        Some(Ok(_)) => FormOf::OtherSession,
        Some(Err(_)) | None => FormOf::Nobody,
    }
}

/// A browser says where a form stood; only our own pages' are taken. What is no browser says neither.
///
/// # Errors
/// `forbidden`.
pub fn check_origin(request: &HttpRequest) -> Result<(), Error> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = header("origin").is_none_or(|origin| is_this_site(&gateway(request), request, origin));
    if site && origin { Ok(()) } else { Err(Error::new(ErrorCode::Forbidden)) }
}
