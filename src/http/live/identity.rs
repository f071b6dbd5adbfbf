//! Authenticates a live connection: by the `Authorization` header, or by the console's session cookie from a page of
//! this site.

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};

use crate::http::extract::bearer;
use crate::http::key_gate::ByKey;
use crate::http::request_log::{note_route, note_user};
use crate::http::site::{cookie_names, is_this_site};
use crate::http::state::Gateway;
use domain::session::record::SessionKind;
use domain::user::messages::Principal;
use kernel::error::{Error, ErrorCode};

/// The user of a request; `None` if it has neither header nor cookie.
///
/// # Errors
/// `invalid_token`, `token_expired`, `session_ended`, `foreign_origin`, `unavailable`.
pub async fn authenticate(gateway: &Gateway, request: &HttpRequest) -> Result<Option<Principal>, Error> {
    note_route(request);
    if let Some(ByKey(found)) = request.extensions().get::<ByKey>().cloned() {
        return found.map(Some);
    }
    let (kind, token) = if request.headers().contains_key(header::AUTHORIZATION) {
        (SessionKind::Api, Some(bearer(request)?))
    } else {
        let cookie = cookie(request, cookie_names(gateway).session);
        if cookie.is_some() {
            check_origin(gateway, request)?;
        }
        (SessionKind::Console, cookie)
    };
    match token {
        Some(token) => {
            let principal = gateway.auth.authenticate_as(kind, token).await?;
            note_user(principal.caller.user_id);
            Ok(Some(principal))
        }
        None => Ok(None),
    }
}

fn cookie<'a>(request: &'a HttpRequest, wanted: &str) -> Option<&'a str> {
    let lines = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, token)| token.trim_matches('"'))
}

/// A browser sends its cookies for any page (RFC 6455 §10.2), so the page must be of this site. A WebSocket always
/// has an origin; an event stream of this site has none, and another site's can't read its answer.
fn check_origin(gateway: &Gateway, request: &HttpRequest) -> Result<(), Error> {
    let origin = request.headers().get(header::ORIGIN);
    let is_socket = request.headers().contains_key(header::UPGRADE);
    let is_own = match origin {
        None => !is_socket,
        Some(origin) => origin.to_str().is_ok_and(|origin| is_this_site(gateway, request, origin)),
    };
    if is_own { Ok(()) } else { Err(Error::new(ErrorCode::ForeignOrigin)) }
}
