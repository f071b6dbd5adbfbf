//! How the rest of Kizuna talks to auth.

use std::sync::Arc;

use super::aggregate::{SessionAggregate, UserAggregate};
use super::domain::{self, Session, UserState};
use super::messages::{FindUser, Principal};
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
        let recent = (self.sessions.recent(session).await?, self.users.recent(user).await?);
        if let Some(user) = self.proven(recent) {
            return Ok(user);
        }
        // What is a moment old may know a session or a password of before; it never ends anybody's session.
        let present = (self.sessions.get(session).await?, self.users.get(user).await?);
        self.proven(present).ok_or_else(|| Refusal::new(Code::SessionEnded))
    }

    fn proven(&self, found: (Option<Arc<Session>>, Option<Arc<UserState>>)) -> Option<Arc<UserState>> {
        let (Some(session), Some(user)) = found else { return None };
        domain::is_in_force(&session, &user, self.clock.now()).then_some(user)
    }

    /// A token's user as last committed by any node.
    ///
    /// # Errors
    /// `session_ended` if they are gone by now, `unavailable`, `overloaded`.
    pub async fn myself(&self, user: Id) -> Result<Arc<UserState>, Refusal> {
        if let Some(user) = self.users.cached(user) {
            return Ok(user);
        }
        let found = self.service.ask(FindUser { id: user }).await;
        found.map_err(|refusal| match refusal.code {
            Code::NotFound => Refusal::new(Code::SessionEnded),
            _ => refusal,
        })
    }
}
