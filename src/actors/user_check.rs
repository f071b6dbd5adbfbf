//! Checks with auth that the user who is to own a record exists.

use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

use crate::actors::auth::client::AuthPeer;
use domain::user::messages::FindUser;
use domain::user::record::User;

/// The live user with this id, if there is one. A rule needs the whole user, so the service asks as the system.
///
/// # Errors
/// `unavailable` if auth does not answer.
pub async fn find_user(auth: &AuthPeer, id: Id) -> Result<Option<User>, Error> {
    match auth.ask(FindUser { id, caller: Caller::system() }).await {
        Ok(found) => found.user.full().map(Some),
        Err(error) if error.code == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Checks that the user whom the caller names as owner exists.
///
/// # Errors
/// `invalid_fields` if `owner` is not a live user; `unavailable` if auth does not answer.
pub async fn check_owner_exists(
    auth: &AuthPeer,
    caller: &Caller,
    owner: Option<Id>,
    field: &str,
) -> Result<(), Error> {
    let Some(id) = owner.filter(|owner| *owner != caller.user_id) else { return Ok(()) };
    match find_user(auth, id).await? {
        Some(_) => Ok(()),
        None => Err(Error::field(field, "unknown_user")),
    }
}
