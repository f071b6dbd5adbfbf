//! What others may ask of auth.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::session::record::Session;
use crate::domain::user::record::{User, UserState};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::locale::Locale;
use kernel::page::{PageRequest, Sort};
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Email, Name, NewPassword, TimeZone};

/// A proven identity: what the gateway knows of a request's user.
#[derive(Clone, Debug)]
pub struct Principal {
    pub caller: Caller,
    pub user: Arc<UserState>,
    /// When the token runs out.
    pub expires_at: Timestamp,
}

/// What a sign-in or a refresh gives.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// A JWT for the `Authorization` header.
    pub access_token: String,
    #[schema(value_type = String, example = "Bearer")]
    pub token_type: TokenType,
    /// Seconds until the access token runs out.
    pub expires_in: i64,
    /// Good for one refresh.
    pub refresh_token: String,
    pub user: User,
}

/// How an access token is sent: there is one way (RFC 6750).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    Bearer,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub email: String,
    pub password: String,
    pub address: Option<IpAddr>,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh_token: String,
    /// Whether a token that was exchanged a moment ago gives the tokens that it was exchanged for.
    pub with_grace: bool,
    pub context: Context,
}

/// Ends the caller's session.
#[derive(Clone, Serialize, Deserialize)]
pub struct Logout {
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangePassword {
    pub current_password: String,
    pub new_password: String,
    pub address: Option<IpAddr>,
    pub context: Context,
}

/// A new user.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(value_type = Email)]
    pub email: String,
    #[schema(value_type = Name)]
    pub name: String,
    pub role: Role,
    /// Who is notified of this user's doings.
    pub manager_id: Option<Id>,
    pub locale: Option<Locale>,
    /// An IANA name; `Asia/Tokyo` if absent.
    #[schema(value_type = Option<TimeZone>)]
    pub time_zone: Option<String>,
    #[schema(value_type = NewPassword)]
    pub password: String,
}

/// Changes of a user; absent fields stay as they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChanges {
    #[schema(value_type = Email, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub email: Option<String>,
    #[schema(value_type = Name, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub name: Option<String>,
    #[schema(value_type = Role, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub role: Option<Role>,
    #[schema(value_type = Option<Id>)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub manager_id: Change<Id>,
    #[schema(value_type = Locale, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub locale: Option<Locale>,
    #[schema(value_type = TimeZone, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub time_zone: Option<String>,
    /// Ends every session of the user.
    #[schema(value_type = NewPassword, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub password: Option<String>,
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

/// Deletes a user, with the saga that hands over what they had; answers with the saga's id.
#[derive(Clone, Serialize, Deserialize)]
pub struct RemoveUser {
    pub id: Id,
    pub successors: Successors,
    pub context: Context,
}

/// A live user, as the choice of a successor sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveUser {
    pub id: Id,
    pub version: i64,
    pub role: Role,
    pub manager_id: Option<Id>,
}

/// Who inherits from a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successors {
    /// Customers, meetings, and the approvals that the user requested.
    pub successor: LiveUser,
    /// The approvals that wait for the user; nobody: they are open to every MANAGER.
    pub approver: Option<LiveUser>,
}

/// All live users, in the order of their making.
#[derive(Clone, Serialize, Deserialize)]
pub struct LiveUsers;

/// Another service asks whether somebody exists and may own things.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindUser {
    pub id: Id,
}

/// A node that doesn't host auth proves by this whom a session speaks for.
#[derive(Clone, Serialize, Deserialize)]
pub struct FindSession {
    pub session_id: Id,
    pub user_id: Id,
}

/// What a proof goes by: whether the session is in force changes with time, so the asker decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionState {
    pub session: Session,
    pub user: Arc<UserState>,
}

/// Somebody who is or was a user: a record may name one who is gone.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecallUser {
    pub id: Id,
}

/// What a list of users is narrowed to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UserFilter {
    pub role: Option<Role>,
    /// In name or email, literally, whatever the case.
    pub q: Option<String>,
    /// `q` looks at names alone: SALES must not learn addresses by guessing.
    pub by_name_only: bool,
}

/// The order of users.
pub const USERS_BY_CREATION: Sort = Sort::time("created_at", "created_at", false);

#[derive(Clone, Serialize, Deserialize)]
pub struct ListUsers {
    pub filter: UserFilter,
    pub page: PageRequest,
}
