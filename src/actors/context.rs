//! Who asks, and what a request carries through every message and event it causes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::refusal::{Code, Refusal};
use crate::clock::Timestamp;
use crate::ids::{Id, new_id};
use crate::persistence::idempotency::FirstAnswer;
use crate::persistence::unit::Unit;

/// What a user may do (SPEC §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    Sales,
    Manager,
    Admin,
}

impl Role {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "SALES",
            Self::Manager => "MANAGER",
            Self::Admin => "ADMIN",
        }
    }
}

/// The user behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub user_id: Id,
    pub role: Role,
    pub session_id: Id,
}

impl Caller {
    /// Kizuna itself: bootstrap, consumers, schedules.
    pub fn system() -> Self {
        Self { user_id: Id::nil(), role: Role::Admin, session_id: Id::nil() }
    }

    /// The `actorid` of events: the user, if it is one.
    pub fn actor_id(&self) -> Option<Id> {
        (!self.user_id.is_nil()).then_some(self.user_id)
    }

    /// SPEC §1: SALES see their own customers, meetings and tasks, the others see all.
    pub fn sees(&self, owner: Id) -> bool {
        self.role != Role::Sales || owner == self.user_id
    }

    /// The owner that lists are narrowed to, for the same rule.
    pub fn only_owner(&self) -> Option<Id> {
        (self.role == Role::Sales).then_some(self.user_id)
    }

    /// SPEC §1: only MANAGER and ADMIN set another owner than themselves.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_set_owner(&self, owner: Option<Id>) -> Result<(), Refusal> {
        match owner {
            Some(owner) if !self.sees(owner) => Err(Refusal::new(Code::Forbidden)),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// `forbidden` unless the caller has one of these roles.
    pub fn require(&self, roles: &[Role]) -> Result<(), Refusal> {
        if roles.contains(&self.role) { Ok(()) } else { Err(Refusal::new(Code::Forbidden)) }
    }
}

/// An `Idempotency-Key` that waits for its first answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// `user/key`.
    pub id: String,
    pub fingerprint: String,
    /// The status the answer will have.
    pub status: u16,
    /// The path a created record's id is put behind for `Location`.
    pub location: Option<Cow<'static, str>>,
}

impl Claim {
    /// The first answer: `body` is what the record looks like to its caller.
    pub fn answer(&self, id: Id, version: Option<i64>, body: Box<RawValue>, now: Timestamp) -> FirstAnswer {
        FirstAnswer {
            id: self.id.clone(),
            fingerprint: self.fingerprint.clone(),
            status: self.status,
            location: self.location.as_ref().map(|path| format!("{path}/{id}")),
            version,
            body,
            created_at: now,
        }
    }
}

/// What travels with a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Context {
    pub caller: Caller,
    /// The request's or saga's id: `correlationid` of every event it causes.
    pub correlation_id: Arc<str>,
    /// The event that caused this, if one did.
    pub causation_id: Option<Id>,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
    /// The version that `If-Match` demands.
    pub if_match: Option<i64>,
    pub claim: Option<Claim>,
    /// What is committed together with the command's own outcome, if it changes anything: added by the service that
    /// decides, so never on its way to another node.
    #[serde(skip)]
    pub with: Unit,
}

impl Context {
    /// # Errors
    /// `stale_version` if `If-Match` demands another version than this.
    pub fn check_version(&self, version: i64) -> Result<(), Refusal> {
        match self.if_match {
            Some(wanted) if wanted != version => Err(Refusal::new(Code::StaleVersion)),
            _ => Ok(()),
        }
    }

    /// A context of Kizuna's own doing.
    pub fn system() -> Self {
        Self {
            caller: Caller::system(),
            correlation_id: new_id().to_string().into(),
            causation_id: None,
            traceparent: None,
            if_match: None,
            claim: None,
            with: Unit::default(),
        }
    }

    /// The context of what an event causes.
    pub fn caused_by(event: &super::event::Event) -> Self {
        Self {
            correlation_id: event.correlation_id.clone(),
            causation_id: Some(event.id),
            traceparent: event.traceparent.clone(),
            ..Self::system()
        }
    }
}
