//! The user behind a request, and what their role lets them see (SPEC §1).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, ErrorCode};
use crate::ids::Id;
use crate::scopes::Scopes;

/// What a user may do (SPEC §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    Sales,
    Manager,
    Admin,
}

impl Role {
    /// The one of the two that may do less.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        let rank = |role| match role {
            Self::Sales => 0,
            Self::Manager => 1,
            Self::Admin => 2,
        };
        if rank(other) < rank(self) { other } else { self }
    }

    /// Its name in the API.
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
    /// The session, or the API key, by which the request was authenticated.
    pub session_id: Id,
    /// What it may be used for: everything, unless it is an API key.
    #[serde(default)]
    pub scopes: Scopes,
}

impl Caller {
    /// Kizuna itself as a caller: bootstrap, consumers, schedules.
    pub fn system() -> Self {
        Self { user_id: Id::nil(), role: Role::Admin, session_id: Id::nil(), scopes: Scopes::ALL }
    }

    /// The `actorid` of events: the user's id, or `None` for Kizuna itself.
    pub fn actor_id(&self) -> Option<Id> {
        (!self.user_id.is_nil()).then_some(self.user_id)
    }

    /// The `apikeyid` of events: the API key that acts for the user, or `None` for somebody who has signed in.
    pub fn api_key_id(&self) -> Option<Id> {
        self.scopes.is_of_key().then_some(self.session_id)
    }

    /// Whether the caller may see a record of `owner` (SPEC §1): SALES see their own records, other roles see all.
    pub fn sees(&self, owner: Id) -> bool {
        self.role != Role::Sales || owner == self.user_id
    }

    /// The owner to whom lists are restricted: the caller if SALES, else `None` (SPEC §1).
    pub fn only_owner(&self) -> Option<Id> {
        (self.role == Role::Sales).then_some(self.user_id)
    }

    /// Checks that the caller may give a record this owner: only MANAGER and ADMIN may name somebody else (SPEC §1).
    ///
    /// # Errors
    /// `forbidden`.
    pub fn may_set_owner(&self, owner: Option<Id>) -> Result<(), Error> {
        match owner {
            Some(owner) if !self.sees(owner) => Err(Error::new(ErrorCode::Forbidden)),
            _ => Ok(()),
        }
    }

    /// Checks that the caller has one of these roles.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn require(&self, roles: &[Role]) -> Result<(), Error> {
        if roles.contains(&self.role) { Ok(()) } else { Err(Error::new(ErrorCode::Forbidden)) }
    }
}
