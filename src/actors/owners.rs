//! Whoever is made responsible for something must exist: auth is asked, through its breaker.

use std::sync::Arc;

use super::auth::client::AuthClient;
use super::auth::domain::UserState;
use super::auth::messages::FindUser;
use super::context::Caller;
use super::refusal::{Code, Refusal};
use super::runtime::call::Guard;
use crate::ids::Id;

/// The user, if there is (still) one of this id.
///
/// # Errors
/// `unavailable` if auth can't be asked.
pub async fn find_user(auth: &AuthClient, guard: &Guard, id: Id) -> Result<Option<Arc<UserState>>, Refusal> {
    match guard.call_idempotent(|| auth.service.ask_once(FindUser { id })).await {
        Ok(user) => Ok(Some(user)),
        Err(refusal) if refusal.code == Code::NotFound => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// # Errors
/// `invalid_fields` if `owner` is no live user; `unavailable` if auth can't be asked.
pub async fn check_owner_exists(
    auth: &AuthClient,
    guard: &Guard,
    caller: &Caller,
    owner: Option<Id>,
    field: &str,
) -> Result<(), Refusal> {
    let Some(id) = owner.filter(|owner| *owner != caller.user_id) else { return Ok(()) };
    match find_user(auth, guard, id).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::field(field, "unknown_user")),
    }
}
