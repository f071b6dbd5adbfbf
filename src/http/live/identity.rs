//! Authenticates a live connection: by the `Authorization` header, or by the console's session cookie from a page of
//! this site.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::http::extract::bearer;
use crate::http::request_log::{note_route, note_user};
use crate::http::state::Gateway;
use domain::user::messages::Principal;
use kernel::error::{Error, ErrorCode};

/// The console's cookie; it holds an access token.
pub const SESSION_COOKIE: &str = "kizuna_session";

/// The user of a request; `None` if it has neither header nor cookie.
///
/// # Errors
/// `invalid_token`, `token_expired`, `session_ended`, `foreign_origin`, `unavailable`.
pub async fn authenticate(gateway: &Gateway, request: &HttpRequest) -> Result<Option<Principal>, Error> {
    note_route(request);
    let token = if request.headers().contains_key(header::AUTHORIZATION) {
        Some(bearer(request)?)
    } else {
        let cookie = cookie(request);
        if cookie.is_some() {
            check_origin(gateway, request)?;
        }
        cookie
    };
    match token {
        Some(token) => {
            let principal = gateway.auth.authenticate(token).await?;
            note_user(principal.caller.user_id);
            Ok(Some(principal))
        }
        None => Ok(None),
    }
}

fn cookie(request: &HttpRequest) -> Option<&str> {
    let lines = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, token)| token.trim_matches('"'))
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

fn is_this_site(gateway: &Gateway, request: &HttpRequest, origin: &str) -> bool {
    if let Some(url) = &gateway.public_url {
        return origin.eq_ignore_ascii_case(site_of(url));
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.zip(named).is_some_and(|(host, named)| host.eq_ignore_ascii_case(named))
}

/// A URL without its path.
fn site_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url[host..].find('/').map_or(url.len(), |path| host + path);
    &url[..path]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_url_without_its_path() {
        assert_eq!(site_of("https://crm.example.com"), "https://crm.example.com");
        assert_eq!(site_of("https://crm.example.com:8443/kizuna"), "https://crm.example.com:8443");
    }
}
