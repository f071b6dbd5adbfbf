//! How the rest of Kizuna talks to auth.

use std::sync::Arc;

use super::aggregate::{SessionAggregate, UserAggregate};
use super::domain::{self, Session, UserState};
use super::messages::{FindSession, FindUser, Principal, Proof, RecallUser};
use super::recent::Recent;
use super::service::AuthDesk;
use super::token::{Keys, Use};
use crate::actors::context::Caller;
use crate::actors::refusal::{Code, Refusal};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::Service;
use crate::clock::{Clock, Timestamp};
use crate::ids::Id;

/// Users and sessions, where auth is hosted.
#[derive(Clone)]
pub struct Accounts {
    pub users: Entities<UserAggregate>,
    pub sessions: Entities<SessionAggregate>,
}

/// What identities are proven from.
#[derive(Clone)]
enum Proofs {
    /// The accounts themselves.
    Here(Accounts),
    /// What auth said of late.
    Elsewhere { sessions: Recent<(Id, Id), Proof>, users: Recent<Id, Option<Arc<UserState>>> },
}

/// Sends messages to the service, and proves identities.
#[derive(Clone)]
pub struct AuthClient {
    pub service: Service<AuthDesk>,
    proofs: Proofs,
    pub keys: Arc<Keys>,
    pub clock: Clock,
}

impl AuthClient {
    /// `accounts`: where the service is hosted on this node.
    pub fn new(
        service: Service<AuthDesk>,
        accounts: Option<Accounts>,
        keys: Arc<Keys>,
        clock: Clock,
    ) -> Self {
        let proofs = match accounts {
            Some(accounts) => Proofs::Here(accounts),
            None => Proofs::Elsewhere { sessions: Recent::default(), users: Recent::default() },
        };
        Self { service, proofs, keys, clock }
    }

    /// Users and sessions, where auth is hosted.
    pub fn accounts(&self) -> Option<&Accounts> {
        match &self.proofs {
            Proofs::Here(accounts) => Some(accounts),
            Proofs::Elsewhere { .. } => None,
        }
    }

    /// Who an access token speaks for. The role is the user's present one, not that of the token's day; a
    /// deleted user, a logout and a new password end it at once, on other nodes within a second (SPEC §8.6).
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
        match &self.proofs {
            Proofs::Here(Accounts { users, sessions }) => {
                let recent = (sessions.recent(session).await?, users.recent(user).await?);
                if let Some(user) = self.proven(recent) {
                    return Ok(user);
                }
                // What is a moment old may know a session or a password of before; it never ends anybody's session.
                let present = (sessions.get(session).await?, users.get(user).await?);
                self.proven(present).ok_or_else(|| Refusal::new(Code::SessionEnded))
            }
            Proofs::Elsewhere { sessions, .. } => {
                let find = || self.service.ask(FindSession { session_id: session, user_id: user });
                let recent = sessions.get((session, user), &self.service, find).await?;
                if let Some(user) = self.judged(&recent.session, &recent.user) {
                    return Ok(user);
                }
                let present = find().await?;
                let user = self.judged(&present.session, &present.user);
                user.ok_or_else(|| Refusal::new(Code::SessionEnded))
            }
        }
    }

    fn proven(&self, found: (Option<Arc<Session>>, Option<Arc<UserState>>)) -> Option<Arc<UserState>> {
        let (Some(session), Some(user)) = found else { return None };
        self.judged(&session, &user)
    }

    fn judged(&self, session: &Session, user: &Arc<UserState>) -> Option<Arc<UserState>> {
        domain::is_in_force(session, user, self.clock.now()).then(|| user.clone())
    }

    /// A user's present state, for who shows them live events; at most a second old.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn user(&self, id: Id) -> Result<Option<Arc<UserState>>, Refusal> {
        match &self.proofs {
            Proofs::Here(accounts) => accounts.users.recent(id).await,
            Proofs::Elsewhere { users, .. } => {
                let recall = || self.service.ask(RecallUser { id });
                users.get(id, &self.service, recall).await.map(|user| (*user).clone())
            }
        }
    }

    /// Who has or had this id.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn recall(&self, id: Id) -> Result<Option<Arc<UserState>>, Refusal> {
        match &self.proofs {
            Proofs::Here(accounts) => accounts.users.get(id).await,
            Proofs::Elsewhere { .. } => self.service.ask(RecallUser { id }).await,
        }
    }

    /// A token's user as last committed by any node.
    ///
    /// # Errors
    /// `session_ended` if they are gone by now, `unavailable`, `overloaded`.
    pub async fn myself(&self, user: Id) -> Result<Arc<UserState>, Refusal> {
        if let Some(user) = self.accounts().and_then(|accounts| accounts.users.cached(user)) {
            return Ok(user);
        }
        let found = self.service.ask(FindUser { id: user }).await;
        found.map_err(|refusal| match refusal.code {
            Code::NotFound => Refusal::new(Code::SessionEnded),
            _ => refusal,
        })
    }
}
