//! The client of the auth service, which also authenticates requests.

use domain::session::rules as session_rules;
use std::sync::Arc;

use crate::actors::auth::aggregate::{SessionAggregate, UserAggregate};
use crate::actors::auth::recent_answers::Recent;
use crate::actors::auth::service::AuthService;
use crate::actors::auth::token::{Keys, Use};
use domain::session::record::{Session, SessionKind};
use domain::user::messages::{FindSession, Principal, RecallUser, SessionState};
use domain::user::record::UserState;
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use runtime::entity::Entities;
use runtime::service::{Peer, Service};

/// The handle of other services to this one, with its circuit breaker.
pub type AuthPeer = Peer<AuthService>;

/// Users and sessions, on a node that hosts auth.
#[derive(Clone)]
pub struct Accounts {
    pub users: Entities<UserAggregate>,
    pub sessions: Entities<SessionAggregate>,
}

/// Where users and sessions are read from.
#[derive(Clone)]
enum Proofs {
    /// From the aggregates of this node.
    Here(Accounts),
    /// From recent answers of auth on another node.
    Elsewhere { sessions: Recent<(Id, Id), SessionState>, users: Recent<Id, Option<Arc<UserState>>> },
}

/// Sends messages to the service, and authenticates tokens.
#[derive(Clone)]
pub struct AuthClient {
    pub service: Service<AuthService>,
    proofs: Proofs,
    pub keys: Arc<Keys>,
    pub clock: Clock,
}

impl AuthClient {
    /// `accounts`: if this node hosts the service.
    pub fn new(
        service: Service<AuthService>,
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

    /// Users and sessions, on a node that hosts auth.
    pub fn accounts(&self) -> Option<&Accounts> {
        match &self.proofs {
            Proofs::Here(accounts) => Some(accounts),
            Proofs::Elsewhere { .. } => None,
        }
    }

    /// The user of an access token, with the user's present role. A deletion, a logout or a new password ends the
    /// token at once, on other nodes within a second (SPEC §8.6).
    ///
    /// # Errors
    /// `invalid_token`, `token_expired`, `session_ended`, `unavailable`.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, Error> {
        self.authenticate_as(SessionKind::Api, token).await
    }

    /// As [`Self::authenticate`], for the token of a session of this kind.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; `invalid_token` for a token of the other kind.
    pub async fn authenticate_as(&self, kind: SessionKind, token: &str) -> Result<Principal, Error> {
        let now = self.clock.now();
        let claims = self.keys.check(Use::Access(kind), token, now)?;
        let user = self.valid_user_of(claims.sid, claims.sub).await?;
        let caller = Caller { user_id: user.user.id, role: user.user.role, session_id: claims.sid };
        Ok(Principal {
            caller,
            user,
            expires_at: Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)),
        })
    }

    /// The user of a session, if the session is valid.
    ///
    /// # Errors
    /// `session_ended`, `unavailable`.
    pub async fn valid_user_of(&self, session: Id, user: Id) -> Result<Arc<UserState>, Error> {
        match &self.proofs {
            Proofs::Here(Accounts { users, sessions }) => {
                let recent = (sessions.recent(session).await?, users.recent(user).await?);
                if let Some(user) = self.proven(recent) {
                    return Ok(user);
                }
                // An answer that is a moment old may have an earlier session or password; it must never end a session.
                let present = (sessions.get(session).await?, users.get(user).await?);
                self.proven(present).ok_or_else(|| Error::new(ErrorCode::SessionEnded))
            }
            Proofs::Elsewhere { sessions, .. } => {
                let find = || self.service.ask(FindSession { session_id: session, user_id: user });
                let recent = sessions.get((session, user), &self.service, find).await?;
                if let Some(user) = self.valid_user(&recent.session, &recent.user) {
                    return Ok(user);
                }
                let present = find().await?;
                let user = self.valid_user(&present.session, &present.user);
                user.ok_or_else(|| Error::new(ErrorCode::SessionEnded))
            }
        }
    }

    fn proven(&self, found: (Option<Arc<Session>>, Option<Arc<UserState>>)) -> Option<Arc<UserState>> {
        let (Some(session), Some(user)) = found else { return None };
        self.valid_user(&session, &user)
    }

    fn valid_user(&self, session: &Session, user: &Arc<UserState>) -> Option<Arc<UserState>> {
        session_rules::is_valid(session, user, self.clock.now()).then(|| user.clone())
    }

    /// A user's state for the live feed, at most a second old.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn user(&self, id: Id) -> Result<Option<Arc<UserState>>, Error> {
        match &self.proofs {
            Proofs::Here(accounts) => accounts.users.recent(id).await,
            Proofs::Elsewhere { users, .. } => {
                let recall = || self.service.ask(RecallUser { id });
                users.get(id, &self.service, recall).await.map(|user| (*user).clone())
            }
        }
    }

    /// The user of a token, as last committed by any node.
    ///
    /// # Errors
    /// `session_ended` if the user is deleted, `unavailable`, `overloaded`.
    pub async fn myself(&self, user: Id) -> Result<Arc<UserState>, Error> {
        if let Some(user) = self.accounts().and_then(|accounts| accounts.users.cached(user)) {
            return Ok(user);
        }
        let found = self.service.ask(RecallUser { id: user }).await?.filter(|user| user.is_live());
        found.ok_or_else(|| Error::new(ErrorCode::SessionEnded))
    }
}
