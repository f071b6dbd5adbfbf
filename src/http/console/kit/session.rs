//! The console's session: two cookies that hold the tokens of an ordinary sign-in, and their renewal.
//!
//! A page whose access token has run out is renewed on the way to it. A browser asks for several things at once,
//! through whichever nodes, and a refresh token is good for one refresh: so the console asks with grace. The first
//! request exchanges the token, and for a moment the others get the tokens it was exchanged for. After that it is
//! what it is for the API: a used token, which ends the session (RFC 9700 §4.14.2).

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::cookie::{Cookie, CookieJar, SameSite};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::actors::auth::token::Use;
use crate::http::client_address::client_address;
use crate::http::live::SESSION_COOKIE;
use crate::http::request_ids::RequestIds;
use crate::http::state::{Gateway, gateway};
use domain::user::messages::{Login, Principal, Refresh, Tokens};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// Holds the refresh token; [`SESSION_COOKIE`] the access token, which the socket takes, too. Every page may have to be renewed, so it has no narrower path.
pub const REFRESH: &str = "kizuna_refresh";
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
        let now = gateway.clock.now();
        let claims = gateway.auth.keys.check(Use::Refresh, &tokens.refresh_token, now)?;
        let until = Timestamp::from_micros(claims.exp.saturating_mul(1_000_000));
        Ok(Self { access: tokens.access_token, refresh: tokens.refresh_token, until })
    }
}

/// Exchanges a refresh token, or takes what it was exchanged for a moment ago.
async fn renew(gateway: &Gateway, token: &str, context: Context) -> Result<Pair, Error> {
    let refresh = Refresh { refresh_token: token.to_owned(), with_grace: true, context };
    Pair::of(gateway.auth.service.ask(refresh).await?, gateway)
}

/// The session of the user who requests a page, and the tokens to hand over if they are new.
///
/// # Errors
/// `unavailable`, `overloaded`; whoever is not signed in (any more) is nobody.
pub async fn identify(request: &HttpRequest) -> Result<(Identity, Option<Pair>), Error> {
    let gateway = gateway(request);
    if let Some(access) = request.cookie(SESSION_COOKIE) {
        match gateway.auth.authenticate(access.value()).await {
            Ok(principal) => return Ok((Identity(Some(principal)), None)),
            Err(error) if error.code.status() != 401 => return Err(error),
            Err(_) => {}
        }
    }
    let Some(refresh) = request.cookie(REFRESH) else { return Ok((Identity(None), None)) };
    match renew(&gateway, refresh.value(), RequestIds::of(request).context()).await {
        Ok(pair) => {
            let principal = gateway.auth.authenticate(&pair.access).await;
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

/// Signs in.
///
/// # Errors
/// `invalid_credentials`, `too_many_attempts`, `unavailable`, `overloaded`.
pub async fn open(request: &HttpRequest, email: &str, password: &str) -> Result<Pair, Error> {
    let gateway = gateway(request);
    let login = Login {
        email: email.to_owned(),
        password: password.to_owned(),
        address: client_address(request),
        context: RequestIds::of(request).context(),
    };
    Pair::of(gateway.auth.service.ask(login).await?, &gateway)
}

/// Gives the browser the tokens.
pub fn hand_over(response: &mut ServiceResponse<BoxBody>, pair: &Pair) {
    let request = response.request().clone();
    // An answer that ends the session has the last word.
    if !response.headers().contains_key(header::SET_COOKIE) {
        set(&request, response.response_mut(), pair);
    }
}

/// Sets the cookies of a session in an answer.
pub fn set(request: &HttpRequest, response: &mut HttpResponse<BoxBody>, pair: &Pair) {
    let lasts = pair.until.since(gateway(request).clock.now()).as_secs();
    let lasts = actix_web::cookie::time::Duration::seconds(i64::try_from(lasts).unwrap_or(i64::MAX));
    // `Lax`, so that a link in a mail leads to its page.
    for (name, value, same_site) in
        [(SESSION_COOKIE, &pair.access, SameSite::Lax), (REFRESH, &pair.refresh, SameSite::Strict)]
    {
        let cookie = Cookie::build(name, value.clone()).max_age(lasts).same_site(same_site);
        add(request, response, cookie.finish());
    }
}

/// Takes the tokens away.
pub fn clear(request: &HttpRequest, response: &mut HttpResponse<BoxBody>) {
    for name in [SESSION_COOKIE, REFRESH] {
        let cookie = Cookie::build(name, "").max_age(actix_web::cookie::time::Duration::ZERO);
        add(request, response, cookie.same_site(SameSite::Lax).finish());
    }
}

fn add(request: &HttpRequest, response: &mut HttpResponse<BoxBody>, mut cookie: Cookie<'static>) {
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_secure(is_secure(request));
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

/// # Errors
/// `forbidden` unless the form was made for this session.
pub fn check_form(gateway: &Gateway, token: Option<&str>, session: Id) -> Result<(), Error> {
    let claims = token.map(|token| gateway.auth.keys.check(Use::Form, token, gateway.clock.now()));
    match claims {
        Some(Ok(claims)) if claims.sid == session => Ok(()),
        _ => Err(Error::new(ErrorCode::Forbidden)),
    }
}

/// A browser says where a form stood; only our own pages' are taken. What is no browser says neither.
///
/// # Errors
/// `forbidden`.
pub fn check_origin(request: &HttpRequest) -> Result<(), Error> {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = header("origin").is_none_or(|origin| is_ours(request, origin));
    if site && origin { Ok(()) } else { Err(Error::new(ErrorCode::Forbidden)) }
}

/// Whether cookies may travel only over TLS.
fn is_secure(request: &HttpRequest) -> bool {
    gateway(request).public_url.as_deref().is_some_and(|url| url.starts_with("https:"))
}

fn is_ours(request: &HttpRequest, origin: &str) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let same = origin.split_once("://").is_some_and(|(_, origin)| Some(origin) == host);
    same || gateway(request).public_url.as_deref() == Some(origin)
}
