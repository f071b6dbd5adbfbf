//! An API key, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::scopes::{Scope, Scopes};
use kernel::text_schemas::Name;

/// An API key as it is stored. The key itself is not: nobody can read it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub name: String,
    /// How the key begins, so that its owner recognises it.
    pub prefix: String,
    pub scopes: Vec<Scope>,
    /// What it may do at most; less, if its user may do less.
    pub role: Role,
    /// The user who made it, for whom it acts.
    pub user_id: Id,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// The SHA-256 of its 256 random bits, in hexadecimal digits.
    pub secret_hash: String,
}

impl ApiKey {
    /// Its scopes as a set, with those that they imply.
    pub fn scope_set(&self) -> Scopes {
        Scopes::of(&self.scopes)
    }
}

/// An API key as ADMIN see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyView {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub name: String,
    /// How the key begins, so that one recognises it.
    #[schema(example = "kzn_AZ5tXw8bcYqk")]
    pub prefix: String,
    /// What it may be used for; a scope to write implies the one to read.
    pub scopes: Vec<Scope>,
    /// What it may do at most; less, if its user may do less.
    pub role: Role,
    /// The user who made it, for whom it acts.
    pub user_id: Id,
    /// From when on it is not valid; null: it has no end.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null if it never was.
    #[schema(required)]
    pub last_used_at: Option<Timestamp>,
}

impl ApiKeyView {
    /// The key as ADMIN see it, with when it was last used.
    pub fn new(key: ApiKey, last_used_at: Option<Timestamp>) -> Self {
        Self {
            id: key.id,
            version: key.version,
            created_at: key.created_at,
            updated_at: key.updated_at,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            role: key.role,
            user_id: key.user_id,
            expires_at: key.expires_at,
            last_used_at,
        }
    }
}

/// A new API key, with the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedKey {
    #[serde(flatten)]
    pub view: ApiKeyView,
    /// The key. It is in this answer alone; null if this answer is a repeated one.
    #[schema(required, example = "kzn_AZ5tXw8bcYqkNx3mH0uVdwQ7pJrT5s1aLzE2fGh4iKoBcDeFgHiJkLmNoPqRsTuV")]
    pub key: Option<String>,
}

/// An API key to make.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    #[schema(value_type = Name)]
    pub name: String,
    /// What it may be used for; a scope to write implies the one to read.
    #[schema(min_items = 1, max_items = 50)]
    pub scopes: Vec<Scope>,
    /// What it may do at most; less, if its user may do less.
    pub role: Role,
    /// From when on it is not valid; no end if absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// `api_key.created`, `api_key.revoked`: the key after it, without anything that opens the door.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyPayload {
    pub api_key: ApiKeyData,
}

/// An API key in events.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyData {
    pub id: Id,
    pub version: i64,
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<Scope>,
    pub role: Role,
    pub user_id: Id,
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    #[schema(required)]
    pub revoked_at: Option<Timestamp>,
}

impl From<&ApiKey> for ApiKeyData {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id,
            version: key.version,
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            scopes: key.scopes.clone(),
            role: key.role,
            user_id: key.user_id,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl Versioned for ApiKey {
    fn version(&self) -> i64 {
        self.version
    }
}
