//! The gate of API keys: it finds a request's key and takes the request from the key's quota, before a route is looked for,
//! so that every answer to a key says what is left, whatever the answer is.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderMap;
use domain::user::messages::Principal;
use kernel::error::Error;

use crate::actors::auth::api_keys::BEGINNING;
use crate::http::extract::bearer;
use crate::http::key_rates::Quota;
use crate::http::request_log::note_user;
use crate::http::state::{Gateway, gateway};

/// What the gate has found: the user of the key, or what is wrong with it.
#[derive(Clone)]
pub struct ByKey(pub Result<Principal, Error>);

/// Finds the key of a request that has one. A fault of the key is answered where the request needs a user.
///
/// # Errors
/// `key_rate_exceeded`.
pub async fn enter(request: &ServiceRequest) -> Result<(), Error> {
    let http = request.request();
    let is_of_api = request.path().starts_with("/api/");
    let token = bearer(http).ok().filter(|token| is_of_api && token.starts_with(BEGINNING));
    let Some(token) = token else { return Ok(()) };
    let gateway = gateway(http);
    let found = gateway.auth.authenticate(token).await;
    let taken = match &found {
        Ok(principal) => {
            note_user(principal.caller.user_id);
            let quota = gateway.key_rates.take(principal.caller.session_id);
            request.extensions_mut().insert(quota);
            quota.check()
        }
        Err(_) => Ok(()),
    };
    request.extensions_mut().insert(ByKey(found));
    taken
}

/// Takes a live connection that has signed in by its first frame from the key's quota.
///
/// # Errors
/// `key_rate_exceeded`.
pub fn take(gateway: &Gateway, principal: &Principal) -> Result<(), Error> {
    match principal.caller.api_key_id() {
        Some(key) => gateway.key_rates.take(key).check(),
        None => Ok(()),
    }
}

/// The headers that every answer to a key has.
pub fn announce(request: &impl HttpMessage, headers: &mut HeaderMap) {
    if let Some(quota) = request.extensions().get::<Quota>() {
        quota.write(headers);
    }
}
