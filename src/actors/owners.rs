//! Whoever is made an owner must exist: auth is asked, through its breaker.

use super::auth::client::AuthClient;
use super::auth::messages::FindUser;
use super::context::Caller;
use super::refusal::{Code, Refusal};
use super::runtime::call::Guard;
use crate::ids::Id;

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
    match guard.call_idempotent(|| auth.service.ask(FindUser { id })).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.code == Code::NotFound => Err(Refusal::field(field, "unknown_user")),
        Err(refusal) => Err(refusal),
    }
}
