//! Sessions: opened by a sign-in, kept alive by refresh tokens, listed and ended by their users.

use domain::security::record::SecurityKind;
use domain::session::record::{ClientInfo, Session, SessionKind, SessionView};
use domain::session::rules as session_rules;
use domain::session::rules::SessionCommand;
use domain::user::messages::{EndSession, ListSessions, Logout, Refresh, TokenType, Tokens};
use domain::user::record::UserState;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kernel::page::Page;

use crate::actors::auth::service::AuthService;
use crate::actors::auth::sign_in::{caller_of, concerned};
use crate::actors::auth::token::Use;
use crate::persistence::auth as queries;

/// The most sessions that one sign-in ends to make room.
const ENDED_AT_ONCE: i64 = 100;

impl AuthService {
    /// Ends the session that a sign-in replaces, and those that would be more than a user may have.
    pub(super) async fn make_room(
        &self,
        user: Id,
        replaced: Option<Id>,
        client: &ClientInfo,
        context: &Context,
    ) -> Result<(), Error> {
        if let Some(session) = replaced {
            self.end_session(session, SecurityKind::SessionReplaced, client, context.clone()).await?;
        }
        let kept = i64::from(self.limits.per_user) - 1;
        let beyond = queries::sessions_beyond(&self.db, user, self.clock.now(), kept, ENDED_AT_ONCE).await?;
        for session in beyond {
            self.end_session(session, SecurityKind::SessionEvicted, client, context.clone()).await?;
        }
        Ok(())
    }

    /// Ends a session, and says whether it had not ended yet.
    async fn end_session(
        &self,
        session: Id,
        why: SecurityKind,
        client: &ClientInfo,
        context: Context,
    ) -> Result<bool, Error> {
        let of = concerned(&context.caller, session);
        let prepared = self.security.beside(context, why, of, client);
        match self.sessions.execute(session, SessionCommand::Revoke, prepared).await {
            Err(error) if error.code == ErrorCode::SessionEnded => Ok(false),
            Err(error) => Err(error),
            Ok(_) => Ok(true),
        }
    }

    pub(super) async fn open_session(
        &self,
        user: &UserState,
        kind: SessionKind,
        client: ClientInfo,
        context: Context,
    ) -> Result<Tokens, Error> {
        let id = new_id();
        let of = concerned(&context.caller, id);
        let prepared = self.security.beside(context, SecurityKind::SignedIn, of, &client);
        let open = SessionCommand::Open {
            user_id: user.user.id,
            valid_from: user.sessions_valid_from,
            kind,
            client,
            lifetimes: self.limits.lifetimes,
        };
        let session = self.sessions.create(id, open, prepared).await?;
        self.tokens(user, &session)
    }

    fn tokens(&self, user: &UserState, session: &Session) -> Result<Tokens, Error> {
        let now = self.clock.now();
        let (user_id, until) = (user.user.id, now.plus(self.limits.access).min(session.expires_at));
        Ok(Tokens {
            access_token: self.keys.issue(Use::Access(session.kind), user_id, session.id, 0, now, until)?,
            token_type: TokenType::Bearer,
            expires_in: until.since(now).as_secs() as i64,
            refresh_token: self.keys.issue(
                Use::Refresh,
                user_id,
                session.id,
                session.generation,
                now,
                session.expires_at,
            )?,
            user: user.user.clone(),
        })
    }

    pub(super) async fn refresh(&self, refresh: Refresh) -> Result<Tokens, Error> {
        let now = self.clock.now();
        let claims = self.keys.check(Use::Refresh, &refresh.refresh_token, now)?;
        let (user, session) = (self.users.get(claims.sub).await?, self.sessions.get(claims.sid).await?);
        let (Some(user), Some(session)) = (user, session) else {
            return Err(Error::new(ErrorCode::SessionEnded));
        };
        if !session_rules::is_valid(&session, &user, now) {
            return Err(Error::new(ErrorCode::SessionEnded));
        }
        let rotate = SessionCommand::Rotate {
            generation: claims.generation,
            kind: refresh.kind,
            client: refresh.client.clone(),
            lifetimes: self.limits.lifetimes,
        };
        let context = Context { caller: caller_of(&user, session.id), claim: None, ..refresh.context };
        let of = concerned(&context.caller, session.id);
        let rotated = self.sessions.execute(session.id, rotate, context).await;
        if rotated.as_ref().is_err_and(|error| error.code == ErrorCode::InvalidToken) {
            let session = session.id.to_string();
            self.security.refused(SecurityKind::TokenMisplaced, &session, of, &refresh.client).await?;
        }
        let session = rotated?;
        if session.revoked_at.is_some() {
            // One of the token's two holders has stolen it.
            tracing::warn!(session = %session.id, "a used refresh token was used again: ending the session");
            self.security.add(SecurityKind::TokenReused, of, &refresh.client).await?;
            return Err(Error::new(ErrorCode::SessionEnded));
        }
        self.tokens(&user, &session)
    }

    pub(super) async fn logout(&self, logout: Logout) -> Result<(), Error> {
        let session = logout.context.caller.session_id;
        let ended =
            self.end_session(session, SecurityKind::SignedOut, &logout.client, logout.context).await?;
        if ended { Ok(()) } else { Err(Error::new(ErrorCode::SessionEnded)) }
    }

    pub(super) async fn list_sessions(&self, list: ListSessions) -> Result<Page<SessionView>, Error> {
        let ListSessions { caller, page } = list;
        let user = self.users.get(caller.user_id).await?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let sessions = queries::list_sessions(&self.db, &user, self.clock.now(), &page).await?;
        Ok(sessions.map(|session| SessionView::new(session, caller.session_id)))
    }

    /// Ends one of the caller's sessions. Another's answers as a missing one does.
    pub(super) async fn end_own_session(&self, end: EndSession) -> Result<(), Error> {
        let missing = || Error::new(ErrorCode::NotFound);
        let caller = end.context.caller;
        let (session, user) = (self.sessions.get(end.id).await?, self.users.get(caller.user_id).await?);
        let (Some(session), Some(user)) = (session, user) else { return Err(missing()) };
        if !session_rules::is_valid(&session, &user, self.clock.now()) {
            return Err(missing());
        }
        let ended = self.end_session(end.id, SecurityKind::SessionEnded, &end.client, end.context).await?;
        if ended { Ok(()) } else { Err(missing()) }
    }
}
