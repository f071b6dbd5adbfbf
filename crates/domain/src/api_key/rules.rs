//! The rules of API keys. Pure.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::api_key::record::{ApiKey, ApiKeyPayload, NewApiKey};
use crate::events as catalogue;
use crate::user::messages::Principal;
use crate::user::record::UserState;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use kernel::text_schemas::Name;
use kernel::validation::{Checked, Rules, Validator, faults_of};

/// The most keys that are not revoked, of all users together.
pub const KEYS_MAX: i64 = 500;
/// The most scopes that a body may name: more than there are.
const SCOPES_MAX: usize = 50;

/// The commands of an API key.
#[derive(Clone, Debug)]
pub enum ApiKeyCommand {
    Create { new: Checked<NewApiKey>, prefix: String, secret_hash: String },
    Revoke,
}

/// What happened to an API key.
#[derive(Clone, Debug)]
pub enum ApiKeyEvent {
    Created(ApiKey),
    Revoked(ApiKey),
}

/// Checks a key to make. Each of its scopes stands once.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut new: NewApiKey) -> Result<Checked<NewApiKey>, Error> {
    let mut validator = Validator::default();
    validator.required::<Name>("name", &mut new.name);
    let mut faults = Vec::new();
    if new.scopes.is_empty() {
        faults.push(FieldError::new("scopes", "required"));
    } else if new.scopes.len() > SCOPES_MAX {
        faults.push(FieldError::limit("scopes", "too_many", SCOPES_MAX as i64));
    }
    new.scopes.sort_unstable();
    new.scopes.dedup();
    match (validator.ok(new), faults.is_empty()) {
        (Ok(new), true) => Ok(new),
        (Ok(_), false) => Err(Error::fields(faults)),
        (Err(error), _) => Err(Error::fields(error.fields.into_iter().chain(faults).collect())),
    }
}

impl Rules for NewApiKey {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

/// The events that a command leads to. A key acts for the user who made it.
///
/// # Errors
/// `not_found` for a key that is revoked or never was; `invalid_fields` if it would have expired already.
pub fn decide(
    state: Option<&ApiKey>,
    command: &ApiKeyCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<ApiKeyEvent>, Error> {
    caller.require(&[Role::Admin])?;
    match (command, state.filter(|key| key.revoked_at.is_none())) {
        (ApiKeyCommand::Create { new, prefix, secret_hash }, None) => {
            if new.expires_at.is_some_and(|end| end <= now) {
                return Err(Error::field("expires_at", "not_in_future"));
            }
            Ok(vec![ApiKeyEvent::Created(ApiKey {
                id,
                version: 1,
                created_at: now,
                updated_at: now,
                name: new.name.clone(),
                prefix: prefix.clone(),
                scopes: new.scopes.clone(),
                role: new.role,
                user_id: caller.user_id,
                expires_at: new.expires_at,
                revoked_at: None,
                secret_hash: secret_hash.clone(),
            })])
        }
        (ApiKeyCommand::Revoke, Some(key)) => Ok(vec![ApiKeyEvent::Revoked(ApiKey {
            version: key.version + 1,
            updated_at: now,
            revoked_at: Some(now),
            ..key.clone()
        })]),
        _ => Err(Error::new(ErrorCode::NotFound)),
    }
}

/// The user for whom a key acts, with what it may do now: what the key allows, and not more than the user may.
///
/// # Errors
/// `key_revoked`, also if the user is deleted; `token_expired`.
pub fn principal(key: &ApiKey, user: &Arc<UserState>, now: Timestamp) -> Result<Principal, Error> {
    if key.revoked_at.is_some() || !user.is_live() || key.user_id != user.user.id {
        return Err(Error::new(ErrorCode::KeyRevoked));
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::new(ErrorCode::TokenExpired));
    }
    let caller = Caller {
        user_id: user.user.id,
        role: key.role.lower(user.user.role),
        session_id: key.id,
        scopes: key.scope_set(),
    };
    Ok(Principal {
        caller,
        user: user.clone(),
        expires_at: key.expires_at.unwrap_or(now.plus(Duration::MAX)),
    })
}

/// Whether two hashes are equal; it takes as long for those that are not.
pub fn is_same_hash(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |sum, (one, other)| sum | (one ^ other));
    one.len() == other.len() && differences == 0
}

impl StateAfter for ApiKeyEvent {
    type State = ApiKey;

    fn after(&self) -> &ApiKey {
        let (Self::Created(after) | Self::Revoked(after)) = self;
        after
    }
}

impl DomainEvent for ApiKeyEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::API_KEY_CREATED,
            Self::Revoked(_) => catalogue::API_KEY_REVOKED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        raw(&ApiKeyPayload { api_key: self.after().into() })
    }
}

#[cfg(test)]
mod tests;
