//! The payloads of auth's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::domain::{SessionEvent, User, UserEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

/// `user.created`, `user.updated`: the user after it, and which fields changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct UserPayload {
    pub user: User,
    /// Names of the changed fields; `password` stands for a new one.
    pub changed: Vec<String>,
}

/// `user.login`: its subject is the session.
#[derive(Debug, Serialize, Deserialize)]
pub struct LoginPayload {
    pub user_id: Id,
}

/// `user.login_failed`: its subject is the attempt.
#[derive(Debug, Serialize, Deserialize)]
pub struct LoginFailedPayload {
    /// The user whose password was wrong.
    pub user_id: Id,
}

impl DomainEvent for UserEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::USER_CREATED,
            Self::Updated { .. } => catalogue::USER_UPDATED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (state, changed): (_, &[&str]) = match self {
            Self::Created(state) => (state, &[]),
            Self::Updated { after, changed } => (after, changed),
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&UserPayload { user: state.user.clone(), changed })
    }
}

impl DomainEvent for SessionEvent {
    fn event_type(&self) -> &'static str {
        catalogue::USER_LOGIN
    }

    fn data(&self) -> Box<RawValue> {
        let (Self::Opened(session) | Self::Rotated(session) | Self::Revoked(session)) = self;
        raw(&LoginPayload { user_id: session.user_id })
    }
}

/// A wrong password for a known user.
pub struct LoginFailed(pub Id);

impl DomainEvent for LoginFailed {
    fn event_type(&self) -> &'static str {
        catalogue::USER_LOGIN_FAILED
    }

    fn data(&self) -> Box<RawValue> {
        raw(&LoginFailedPayload { user_id: self.0 })
    }
}
