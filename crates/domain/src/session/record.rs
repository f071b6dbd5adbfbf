//! A session, and the payloads of the events of signing in.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// The most characters of a client's `User-Agent` that are kept.
const AGENT_MAX: usize = 200;

/// What a session was opened by. A token of one kind is refused where one of the other belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// A client of the REST API, which keeps its tokens itself.
    #[default]
    Api,
    /// The web console, whose tokens are cookies.
    Console,
}

/// Where a request comes from, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    pub address: Option<IpAddr>,
    /// Its `User-Agent`: up to 200 characters, none of them a control character.
    pub agent: Option<String>,
}

impl ClientInfo {
    /// A client at this address that calls itself `agent`.
    pub fn new(address: Option<IpAddr>, agent: Option<&str>) -> Self {
        let plain =
            |agent: &str| agent.chars().filter(|c| !c.is_control()).take(AGENT_MAX).collect::<String>();
        Self { address, agent: agent.map(plain).filter(|agent| !agent.is_empty()) }
    }
}

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
    #[serde(default)]
    pub kind: SessionKind,
    /// Where its tokens were last obtained from.
    #[serde(default)]
    pub address: Option<IpAddr>,
    #[serde(default)]
    pub agent: Option<String>,
}

/// A session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    pub id: Id,
    pub version: i64,
    pub kind: SessionKind,
    /// When its user signed in.
    pub created_at: Timestamp,
    /// When it last got tokens: an access token that is in use is renewed every few minutes.
    pub last_used_at: Timestamp,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
    /// The address that it was last used from.
    #[schema(required, value_type = Option<String>, example = "192.0.2.1")]
    pub address: Option<IpAddr>,
    /// The `User-Agent` that it was last used by.
    #[schema(required)]
    pub agent: Option<String>,
    /// Whether it is the session of this request.
    pub current: bool,
}

impl SessionView {
    /// A session as the user of the session `current` sees it.
    pub fn new(session: Session, current: Id) -> Self {
        Self {
            id: session.id,
            version: session.version,
            kind: session.kind,
            created_at: session.created_at,
            last_used_at: session.updated_at,
            expires_at: session.expires_at,
            address: session.address,
            agent: session.agent,
            current: session.id == current,
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
    /// The user whose password was wrong; null if nobody has the address.
    #[schema(required)]
    pub user_id: Option<Id>,
}

impl Versioned for Session {
    fn version(&self) -> i64 {
        self.version
    }
}
