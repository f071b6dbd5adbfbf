//! The caller of a command, and what a request carries through every message and event it causes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::error::{Error, ErrorCode};
use crate::event::Event;
use crate::ids::{Id, new_id};

/// An `Idempotency-Key` that waits for its first answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IdempotencyClaim {
    /// `user/key`.
    pub id: String,
    pub fingerprint: String,
    /// The status that the answer will have.
    pub status: u16,
    /// The path before a created record's id in `Location`.
    pub location: Option<Cow<'static, str>>,
}

/// The versions that `If-Match` accepts; another one is stale. None at all is a header whose tags are of another form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions(pub Vec<i64>);

impl From<i64> for Versions {
    fn from(version: i64) -> Self {
        Self(vec![version])
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
    /// The versions that `If-Match` accepts; `None` accepts any.
    pub if_match: Option<Versions>,
    pub claim: Option<IdempotencyClaim>,
}

impl Context {
    /// Compares `version` with those that `If-Match` accepts.
    ///
    /// # Errors
    /// `stale_version` if the record has another version.
    pub fn check_version(&self, version: i64) -> Result<(), Error> {
        match &self.if_match {
            Some(Versions(wanted)) if !wanted.contains(&version) => Err(Error::new(ErrorCode::StaleVersion)),
            _ => Ok(()),
        }
    }

    /// The context of Kizuna's own work.
    pub fn system() -> Self {
        Self {
            caller: Caller::system(),
            correlation_id: new_id().to_string().into(),
            causation_id: None,
            traceparent: None,
            if_match: None,
            claim: None,
        }
    }

    /// The context of commands and events that `event` causes.
    pub fn caused_by(event: &Event) -> Self {
        Self {
            correlation_id: event.correlation_id.clone(),
            causation_id: Some(event.id),
            traceparent: event.traceparent.clone(),
            ..Self::system()
        }
    }
}
