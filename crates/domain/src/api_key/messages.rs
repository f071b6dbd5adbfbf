//! The messages about API keys.

use serde::{Deserialize, Serialize};

use std::sync::Arc;

use crate::api_key::record::{ApiKey, NewApiKey};
use crate::user::record::UserState;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// The order of keys: the newest first.
pub const KEYS_NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// Makes a key. The answer has it; nobody can read it again.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateApiKey {
    pub api_key: NewApiKey,
    pub context: Context,
}

/// Revokes a key.
#[derive(Clone, Serialize, Deserialize)]
pub struct RevokeApiKey {
    pub id: Id,
    pub context: Context,
}

/// Lists the keys that are not revoked.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListApiKeys {
    pub caller: Caller,
    pub page: PageRequest,
}

/// Finds a key. A node that does not host auth authenticates requests with the answer.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindApiKey {
    pub id: Id,
}

/// A key and what its validity depends on. Validity changes with time, so the asking node decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKeyState {
    pub key: ApiKey,
    pub user: Arc<UserState>,
}

/// Notes that a key was used, at most once a minute for each node.
#[derive(Clone, Serialize, Deserialize)]
pub struct NoteKeyUse {
    pub id: Id,
    pub at: Timestamp,
}
