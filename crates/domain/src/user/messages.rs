//! The messages of the auth service.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::saga::record::Saga;
use crate::session::record::{ClientInfo, Session, SessionKind};
use crate::user::record::{NewUser, PreferenceChanges, ProfileChanges, UserChanges};
use crate::user::record::{User, UserState, UserView};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// An authenticated user: what the gateway knows of the user behind a request.
#[derive(Clone, Debug)]
pub struct Principal {
    pub caller: Caller,
    pub user: Arc<UserState>,
    /// When the token expires.
    pub expires_at: Timestamp,
}

/// The tokens of a sign-in or a refresh.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// A JWT for the `Authorization` header.
    pub access_token: String,
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: TokenType,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Valid for one refresh.
    pub refresh_token: String,
    pub user: User,
}

/// The type of an access token: there is only one (RFC 6750).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    Bearer,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
    /// What the session is opened by.
    pub kind: SessionKind,
    pub client: ClientInfo,
    /// The session that the new one takes the place of: the one that the browser has now.
    pub replaces: Option<Id>,
    /// The token of the client's device, from an earlier sign-in.
    pub device: Option<String>,
    pub context: Context,
}

/// The answer to [`Login`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignedIn {
    pub tokens: Tokens,
    /// Proves in later sign-ins that this user has signed in on this device before.
    pub device: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh_token: String,
    /// What the token was presented as. The console's token that was exchanged a moment ago gets the tokens of that
    /// exchange again.
    pub kind: SessionKind,
    pub client: ClientInfo,
    pub context: Context,
}

/// Ends the caller's session.
#[derive(Clone, Serialize, Deserialize)]
pub struct Logout {
    pub client: ClientInfo,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    pub current_password: String,
    pub new_password: String,
    pub client: ClientInfo,
    pub context: Context,
}

/// Changes the caller's own name, language or time zone.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeProfile {
    pub changes: ProfileChanges,
    pub context: Context,
}

/// Changes what the caller has chosen for themselves.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePreferences {
    pub changes: PreferenceChanges,
    pub context: Context,
}

/// The order of sessions: the newest first.
pub const SESSIONS_NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// Lists the caller's sessions that are valid now.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListSessions {
    pub caller: Caller,
    pub page: PageRequest,
}

/// Ends one of the caller's sessions.
#[derive(Clone, Serialize, Deserialize)]
pub struct EndSession {
    pub id: Id,
    pub client: ClientInfo,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct CreateUser {
    pub user: NewUser,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeUser {
    pub id: Id,
    pub changes: UserChanges,
    pub context: Context,
}

/// Deletes a user, and starts the saga that hands over the user's records. The answer is the saga's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct RemoveUser {
    pub id: Id,
    pub successors: Successors,
    /// The saga that this undoes, if it is an undo.
    #[serde(default)]
    pub undoes: Option<Box<Saga>>,
    pub context: Context,
}

/// What the choice of a successor needs to know of a live user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveUser {
    pub id: Id,
    pub version: i64,
    pub role: Role,
    pub manager_id: Option<Id>,
}

/// The successors of a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successors {
    /// Takes over customers, meetings, and the approvals that the user requested.
    pub successor: LiveUser,
    /// Takes over the approvals that wait for the user; if `None`, every MANAGER may decide them.
    pub approver: Option<LiveUser>,
}

/// Lists all live users in the order of their creation.
#[derive(Clone, Serialize, Deserialize)]
pub struct LiveUsers;

/// Finds a live user, as the caller may see them; other services ask as the system.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindUser {
    pub id: Id,
    pub caller: Caller,
}

/// The answer to [`FindUser`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundUser {
    pub version: i64,
    pub user: UserView,
}

/// The most users that one [`FindUsers`] may name.
pub const FIND_USERS_MAX: usize = 200;

/// The names of users, also of deleted ones; ids that no user ever had are left out. Every caller may know them.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindUsers {
    pub ids: Vec<Id>,
    pub caller: Caller,
}

/// What records show of a user whom they refer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserName {
    pub id: Id,
    pub name: String,
    pub is_deleted: bool,
}

/// The most users that one [`FindMentioned`] may name.
pub const FIND_MENTIONED_MAX: usize = 40;

/// Finds the live users with these ids or addresses: whom a text mentions. Only services ask.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindMentioned {
    pub ids: Vec<Id>,
    /// In lower case.
    pub addresses: Vec<String>,
}

/// The most users that one [`FindUsersByAddress`] may name.
pub const FIND_BY_ADDRESS_MAX: usize = 200;

/// Finds the live users with these addresses: the owners whom the rows of a file name. Only services ask.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindUsersByAddress {
    /// In lower case.
    pub addresses: Vec<String>,
}

/// What a rule needs to know of a user whom a text mentions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mentionable {
    pub id: Id,
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// Finds a session. A node that does not host auth authenticates requests with the answer.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindSession {
    pub session_id: Id,
    pub user_id: Id,
}

/// A session and what its validity depends on. Validity changes with time, so the caller decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionState {
    pub session: Session,
    pub user: Arc<UserState>,
}

/// Finds a user's whole state, deleted ones too. A node that does not host auth authenticates requests with the answer;
/// what a caller sees of other users goes by [`FindUser`] and [`ListUsers`].
#[derive(Clone, Serialize, Deserialize)]
pub struct RecallUser {
    pub id: Id,
}

/// The filter of a list of users.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UserFilter {
    pub role: Option<Role>,
    /// Words of the name or email (see [`Words`](kernel::search::Words)); for SALES, of the name alone.
    pub q: Option<String>,
}

/// The order of users: the oldest first.
pub const USERS_BY_CREATION: Sort = Sort::time("created_at", "created_at", false);

/// Lists live users, as the caller may see them.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListUsers {
    pub caller: Caller,
    pub filter: UserFilter,
    pub page: PageRequest,
}
