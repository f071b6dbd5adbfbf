//! The rules of sessions. Pure.

use std::time::Duration;

use crate::events as catalogue;
use crate::session::record::{ClientInfo, LoginFailedPayload, LoginPayload, Session, SessionKind};
use crate::user::record::UserState;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use serde_json::value::RawValue;

/// How long a session is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// From its opening, and from each exchange of its refresh token.
    pub unused: Duration,
    /// From its opening, however often it is used.
    pub total: Duration,
}

impl SessionLifetimes {
    fn end(&self, opened_at: Timestamp, now: Timestamp) -> Timestamp {
        now.plus(self.unused).min(opened_at.plus(self.total))
    }
}

/// The commands of a session.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    Open {
        user_id: Id,
        valid_from: Timestamp,
        kind: SessionKind,
        client: ClientInfo,
        lifetimes: SessionLifetimes,
    },
    /// Exchanges the refresh token of this generation.
    Rotate {
        generation: i64,
        /// What the token was presented as.
        kind: SessionKind,
        client: ClientInfo,
        lifetimes: SessionLifetimes,
    },
    Revoke,
}

/// What happened to a session; only its opening (`user.login`) goes to the log.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    Opened(Session),
    Rotated(Session),
    Revoked(Session),
}

/// How long the console's used refresh token is accepted, because a browser sends several requests at the same time.
/// RFC 9700 §4.14.2 knows no such time; 30 s is what a slow page takes.
const GRACE: Duration = Duration::from_secs(30);

/// The events that a command leads to. Refresh tokens rotate; the use of an old one ends the session, because one of
/// its two holders has stolen it (RFC 9700 §4.14.2), also when it is presented as a token of another kind.
///
/// # Errors
/// `session_ended` when there is no open session, `invalid_token` for a valid token of the other kind.
pub fn decide_session(
    state: Option<&Session>,
    command: &SessionCommand,
    id: Id,
    now: Timestamp,
) -> Result<Vec<SessionEvent>, Error> {
    let step =
        |session: &Session| Session { version: session.version + 1, updated_at: now, ..session.clone() };
    match (command, state) {
        (SessionCommand::Open { user_id, valid_from, kind, client, lifetimes }, None) => {
            Ok(vec![SessionEvent::Opened(Session {
                id,
                version: 1,
                created_at: now,
                updated_at: now,
                user_id: *user_id,
                generation: 1,
                expires_at: lifetimes.end(now, now),
                valid_from: *valid_from,
                revoked_at: None,
                kind: *kind,
                address: client.address,
                agent: client.agent.clone(),
            })])
        }
        (SessionCommand::Rotate { generation, kind, client, lifetimes }, Some(session))
            if is_open(session, now) =>
        {
            let mut after = step(session);
            if *generation != session.generation {
                let is_console = (*kind, session.kind) == (SessionKind::Console, SessionKind::Console);
                if is_console && was_just_exchanged(*generation, session, now) {
                    return Ok(Vec::new());
                }
                after.revoked_at = Some(now);
                return Ok(vec![SessionEvent::Revoked(after)]);
            }
            if *kind != session.kind {
                return Err(Error::new(ErrorCode::InvalidToken));
            }
            after.generation += 1;
            after.expires_at = lifetimes.end(session.created_at, now);
            (after.address, after.agent) = (client.address, client.agent.clone());
            Ok(vec![SessionEvent::Rotated(after)])
        }
        (SessionCommand::Revoke, Some(session)) if is_open(session, now) => {
            let after = Session { revoked_at: Some(now), ..step(session) };
            Ok(vec![SessionEvent::Revoked(after)])
        }
        _ => Err(Error::new(ErrorCode::SessionEnded)),
    }
}

/// Whether this was the valid generation until a moment ago. An open session's last change is its last rotation.
fn was_just_exchanged(generation: i64, session: &Session, now: Timestamp) -> bool {
    generation + 1 == session.generation && now.since(session.updated_at) < GRACE
}

fn is_open(session: &Session, now: Timestamp) -> bool {
    session.revoked_at.is_none() && now < session.expires_at
}

/// Whether a session is still valid for its user (SPEC §8.6).
pub fn is_valid(session: &Session, user: &UserState, now: Timestamp) -> bool {
    let after_change =
        session.valid_from == user.sessions_valid_from || user.kept_session_id == Some(session.id);
    is_open(session, now) && session.user_id == user.user.id && user.is_live() && after_change
}

impl StateAfter for SessionEvent {
    type State = Session;

    fn after(&self) -> &Session {
        let (Self::Opened(after) | Self::Rotated(after) | Self::Revoked(after)) = self;
        after
    }
}

impl DomainEvent for SessionEvent {
    fn event_type(&self) -> EventType {
        catalogue::USER_LOGIN
    }

    fn data(&self) -> Box<RawValue> {
        let (Self::Opened(session) | Self::Rotated(session) | Self::Revoked(session)) = self;
        raw(&LoginPayload { user_id: session.user_id })
    }
}

/// A sign-in that failed: of this user, or with an address that nobody has.
pub struct LoginFailed(pub Option<Id>);

impl DomainEvent for LoginFailed {
    fn event_type(&self) -> EventType {
        catalogue::USER_LOGIN_FAILED
    }

    fn data(&self) -> Box<RawValue> {
        raw(&LoginFailedPayload { user_id: self.0 })
    }
}
