//! The client of the auth service, which also authenticates requests.

use domain::session::rules as session_rules;
use std::sync::Arc;

use crate::actors::auth::aggregate::{SessionAggregate, UserAggregate};
use crate::actors::auth::api_keys::{ApiKeyAggregate, PresentedKey};
use crate::actors::auth::key_uses::KeyUses;
use crate::actors::auth::recent_answers::Recent;
use crate::actors::auth::service::AuthService;
use crate::actors::auth::token::{Keys, Use};
use domain::api_key::messages::{ApiKeyState, FindApiKey, NoteKeyUse};
use domain::api_key::record::ApiKey;
use domain::api_key::rules as api_key_rules;
use domain::session::record::{Session, SessionKind};
use domain::user::messages::{FindSession, Principal, RecallUser, SessionState};
use domain::user::record::UserState;
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::scopes::{Scope, Scopes};
use runtime::entity::Entities;
use runtime::service::{Peer, Service};

/// The handle of other services to this one, with its circuit breaker.
pub type AuthPeer = Peer<AuthService>;

/// Users, sessions and API keys, on a node that hosts auth.
#[derive(Clone)]
pub struct Accounts {
    pub users: Entities<UserAggregate>,
    pub sessions: Entities<SessionAggregate>,
    pub api_keys: Entities<ApiKeyAggregate>,
}

/// Where users, sessions and API keys are read from.
#[derive(Clone)]
enum Proofs {
    /// From the aggregates of this node.
    Here(Accounts),
    /// From recent answers of auth on another node.
    Elsewhere {
        sessions: Recent<(Id, Id), SessionState>,
        api_keys: Recent<Id, ApiKeyState>,
        users: Recent<Id, Option<Arc<UserState>>>,
    },
}

/// Sends messages to the service, and authenticates tokens.
#[derive(Clone)]
pub struct AuthClient {
    pub service: Service<AuthService>,
    proofs: Proofs,
    pub keys: Arc<Keys>,
    pub clock: Clock,
    key_uses: KeyUses,
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
            None => Proofs::Elsewhere {
                sessions: Recent::default(),
                api_keys: Recent::default(),
                users: Recent::default(),
            },
        };
        Self { service, proofs, keys, clock, key_uses: KeyUses::default() }
    }

    /// Users, sessions and API keys, on a node that hosts auth.
    pub fn accounts(&self) -> Option<&Accounts> {
        match &self.proofs {
            Proofs::Here(accounts) => Some(accounts),
            Proofs::Elsewhere { .. } => None,
        }
    }

    /// The user of an access token, with the user's present role, or of an API key. A deletion, a logout or a new password
    /// ends the token at once, on other nodes within a second (SPEC §8.6); so does the revocation of a key.
    ///
    /// # Errors
    /// `invalid_token`, `token_expired`, `session_ended`, `key_revoked`, `unavailable`.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, Error> {
        self.authenticate_as(SessionKind::Api, token).await
    }

    /// As [`Self::authenticate`], for the token of a session of this kind.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; `invalid_token` for a token of the other kind.
    pub async fn authenticate_as(&self, kind: SessionKind, token: &str) -> Result<Principal, Error> {
        let now = self.clock.now();
        if kind == SessionKind::Api
            && let Some(key) = PresentedKey::read(token)
        {
            return self.authenticate_key(&key?).await;
        }
        let claims = self.keys.check(Use::Access(kind), token, now)?;
        let user = self.valid_user_of(claims.sid, claims.sub).await?;
        let (user_id, role) = (user.user.id, user.user.role);
        let caller = Caller { user_id, role, session_id: claims.sid, scopes: Scopes::ALL };
        Ok(Principal {
            caller,
            user,
            expires_at: Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)),
        })
    }

    /// The user for whom a key acts, with what the key and the user may do now.
    async fn authenticate_key(&self, presented: &PresentedKey) -> Result<Principal, Error> {
        let invalid = || Error::new(ErrorCode::InvalidToken);
        let is_it =
            |found: &ApiKeyState| api_key_rules::is_same_hash(&found.key.secret_hash, &presented.hash);
        let judged = |found: Option<ApiKeyState>| {
            let found = found.filter(is_it).ok_or_else(invalid)?;
            api_key_rules::principal(&found.key, &found.user, self.clock.now())
        };
        let principal = self.proven_key(presented.id, judged).await?;
        self.note_use(presented.id);
        Ok(principal)
    }

    /// What `judged` finds of a key: at first of a state that is a moment old, and if it refuses that, of the present one. So an
    /// old state lets a key in for less than a second longer, and keeps none out.
    async fn proven_key<T>(
        &self,
        key: Id,
        judged: impl Fn(Option<ApiKeyState>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.proofs {
            Proofs::Here(Accounts { users, api_keys, .. }) => {
                // Anybody can make up a key: that starts no actor.
                if !api_keys.exists(key).await? {
                    return judged(None);
                }
                let with_user = |key: Arc<ApiKey>, user: Option<Arc<UserState>>| {
                    user.map(|user| ApiKeyState { key: (*key).clone(), user })
                };
                let recent = match api_keys.recent(key).await? {
                    Some(found) => {
                        let user = users.recent(found.user_id).await?;
                        with_user(found, user)
                    }
                    None => None,
                };
                if let Ok(proven) = judged(recent) {
                    return Ok(proven);
                }
                let present = match api_keys.get(key).await? {
                    Some(found) => {
                        let user = users.get(found.user_id).await?;
                        with_user(found, user)
                    }
                    None => None,
                };
                judged(present)
            }
            Proofs::Elsewhere { api_keys, .. } => {
                let find = || self.service.ask(FindApiKey { id: key });
                let recent = api_keys.get(key, &self.service, find).await?;
                match judged(Some((*recent).clone())) {
                    Ok(proven) => Ok(proven),
                    Err(_) => judged(Some(find().await?)),
                }
            }
        }
    }

    /// Tells the service that a key was used, now and then. The request does not wait for that.
    fn note_use(&self, key: Id) {
        let now = self.clock.now();
        if self.key_uses.is_due(key, now) {
            let service = self.service.clone();
            actix_rt::spawn(async move {
                if let Err(error) = service.ask(NoteKeyUse { id: key, at: now }).await {
                    tracing::warn!(%error, %key, "could not note when an API key was used");
                }
            });
        }
    }

    /// Checks that the session or the API key of a caller is still valid.
    ///
    /// # Errors
    /// `session_ended`, `key_revoked`, `token_expired`, `unavailable`.
    pub async fn check_valid(&self, caller: &Caller) -> Result<(), Error> {
        match caller.api_key_id() {
            None => self.valid_user_of(caller.session_id, caller.user_id).await.map(drop),
            Some(key) => {
                let judged = |found: Option<ApiKeyState>| {
                    let found = found.ok_or_else(|| Error::new(ErrorCode::KeyRevoked))?;
                    api_key_rules::principal(&found.key, &found.user, self.clock.now()).map(drop)
                };
                self.proven_key(key, judged).await
            }
        }
    }

    /// The user of a session, if the session is valid.
    ///
    /// # Errors
    /// `session_ended`, `unavailable`.
    pub async fn valid_user_of(&self, session: Id, user: Id) -> Result<Arc<UserState>, Error> {
        match &self.proofs {
            Proofs::Here(Accounts { users, sessions, .. }) => {
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
    /// `missing_scope`; `session_ended` if the user is deleted; `unavailable`, `overloaded`.
    pub async fn myself(&self, caller: &Caller) -> Result<Arc<UserState>, Error> {
        caller.scopes.check(Scopes::of(&[Scope::UsersRead]))?;
        self.present_user(caller.user_id).await
    }

    /// The user of a session's token, as last committed by any node, with the user's preferences.
    ///
    /// # Errors
    /// `session_required`; as [`Self::myself`].
    pub async fn with_preferences(&self, caller: &Caller) -> Result<Arc<UserState>, Error> {
        caller.scopes.check(Scopes::SESSION)?;
        self.present_user(caller.user_id).await
    }

    async fn present_user(&self, user: Id) -> Result<Arc<UserState>, Error> {
        if let Some(user) = self.accounts().and_then(|accounts| accounts.users.cached(user)) {
            return Ok(user);
        }
        let found = self.service.ask(RecallUser { id: user }).await?.filter(|user| user.is_live());
        found.ok_or_else(|| Error::new(ErrorCode::SessionEnded))
    }
}
