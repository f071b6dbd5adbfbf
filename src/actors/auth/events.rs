//! The payloads of auth's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::domain::{Leaving, SessionEvent, User, UserEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;
use crate::persistence::departures::Departure;

/// `user.created`, `user.updated`: the user after it, and which fields changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserPayload {
    pub user: User,
    /// Names of the changed fields; `password` stands for a new one.
    pub changed: Vec<String>,
}

/// `user.deleted`: the user, and who inherits.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserDeletedPayload {
    pub user: User,
    /// Who receives customers, meetings and the approvals that the user requested.
    pub successor_id: Id,
    /// Who receives the approvals that wait for the user; null: every MANAGER may decide them.
    pub approver_id: Option<Id>,
    pub saga_id: Id,
}

impl UserDeletedPayload {
    /// As services keep it in mind.
    pub fn departure(&self) -> Departure {
        Departure {
            id: self.user.id,
            version: 1,
            successor_id: Some(self.successor_id),
            approver_id: self.approver_id,
            saga_id: self.saga_id,
        }
    }
}

/// `user.login`: its subject is the session.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginPayload {
    pub user_id: Id,
}

/// `user.login_failed`: its subject is the attempt.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LoginFailedPayload {
    /// The user whose password was wrong.
    pub user_id: Id,
}

impl Leaving {
    fn payload(&self, user: &User) -> UserDeletedPayload {
        UserDeletedPayload {
            user: user.clone(),
            successor_id: self.successor_id,
            approver_id: self.approver_id,
            saga_id: self.saga_id,
        }
    }
}

impl DomainEvent for UserEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::USER_CREATED,
            Self::Updated { .. } => catalogue::USER_UPDATED,
            Self::Deleted { .. } => catalogue::USER_DELETED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (state, changed): (_, &[&str]) = match self {
            Self::Created(state) => (state, &[]),
            Self::Updated { after, changed } => (after, changed),
            Self::Deleted { after, leaving } => return raw(&leaving.payload(&after.user)),
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
