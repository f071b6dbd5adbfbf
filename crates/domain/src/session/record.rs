//! A session, and the payloads of the events of signing in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// A signed-in device: the family of its refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub user_id: Id,
    /// The generation of the valid refresh token; earlier ones are used up.
    pub generation: i64,
    pub expires_at: Timestamp,
    /// The user's `sessions_valid_from` when the password was checked.
    pub valid_from: Timestamp,
    pub revoked_at: Option<Timestamp>,
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

impl Versioned for Session {
    fn version(&self) -> i64 {
        self.version
    }
}
