//! How the rest of Kizuna talks to auth.

use std::sync::Arc;

use super::aggregate::{SessionAggregate, UserAggregate};
use super::domain::{self, UserState};
use super::messages::Principal;
use super::service::AuthDesk;
use super::token::{Keys, Use};
use crate::actors::context::Caller;
use crate::actors::refusal::{Code, Refusal};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::Service;
use crate::clock::{Clock, Timestamp};
use crate::ids::Id;

/// Sends messages to the service, and proves identities from its memory.
#[derive(Clone)]
pub struct AuthClient {
    pub service: Service<AuthDesk>,
    pub users: Entities<UserAggregate>,
    pub sessions: Entities<SessionAggregate>,
    pub keys: Arc<Keys>,
    pub clock: Clock,
}

impl AuthClient {
    /// Who an access token speaks for. The role is the user's present one, not that of the token's day; a
    /// deleted user, a logout and a new password end it at once (SPEC §8.6).
    ///
    /// # Errors
    /// `invalid_token`, `token_expired`, `session_ended`, `unavailable`.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, Refusal> {
        let now = self.clock.now();
        let claims = self.keys.check(Use::Access, token, now)?;
        let user = self.in_force(claims.sid, claims.sub).await?;
        let caller = Caller { user_id: user.user.id, role: user.user.role, session_id: claims.sid };
        Ok(Principal {
            caller,
            user,
            expires_at: Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)),
        })
    }

    /// The user a session speaks for, as long as it does.
    ///
    /// # Errors
    /// `session_ended`, `unavailable`.
    pub async fn in_force(&self, session: Id, user: Id) -> Result<Arc<UserState>, Refusal> {
        let (Some(session), Some(user)) = (self.sessions.get(session).await?, self.users.get(user).await?)
        else {
            return Err(Refusal::new(Code::SessionEnded));
        };
        if !domain::is_in_force(&session, &user, self.clock.now()) {
            return Err(Refusal::new(Code::SessionEnded));
        }
        Ok(user)
    }
}
