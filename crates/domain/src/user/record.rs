//! A user, what a client sets of them, and the payloads of their events.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::deletion::Deletion;
use crate::notification::kinds::NotificationKind;
use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::locale::Locale;
use kernel::patch::{Change, present, some};
use kernel::text_schemas::{Email, Name, NewPassword, TimeZone};

/// The colours of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Theme {
    /// Those of the device.
    #[default]
    System,
    Light,
    Dark,
}

/// A user as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub email: String,
    pub name: String,
    pub role: Role,
    #[schema(required)]
    pub manager_id: Option<Id>,
    pub locale: Locale,
    pub time_zone: String,
}

/// What a user has chosen for themselves. Nobody else sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
// A node of the version before sends users without them.
#[serde(default)]
pub struct Preferences {
    #[schema(required)]
    pub theme: Theme,
    /// The kinds of notifications that the user does not want.
    #[schema(required)]
    pub muted_notifications: BTreeSet<NotificationKind>,
}

/// Changes of one's own preferences; absent fields stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceChanges {
    #[schema(value_type = Theme, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub theme: Option<Theme>,
    /// The kinds of notifications that one does not want, in the place of those of before.
    #[schema(value_type = Vec<NotificationKind>, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub muted_notifications: Option<BTreeSet<NotificationKind>>,
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
    /// The manager, who is notified of this user's work.
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
    /// A new password ends every session of the user.
    #[schema(value_type = NewPassword, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub password: Option<String>,
}

/// What everybody may change of themselves; absent fields stay as they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChanges {
    #[schema(value_type = Name, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub name: Option<String>,
    #[schema(value_type = Locale, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub locale: Option<Locale>,
    #[schema(value_type = TimeZone, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub time_zone: Option<String>,
}

/// A user as the caller may see it (SPEC §1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum UserView {
    Full(User),
    Card(UserCard),
}

/// What SALES see of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserCard {
    pub id: Id,
    pub name: String,
    pub role: Role,
}

impl UserView {
    pub fn id(&self) -> Id {
        match self {
            Self::Full(user) => user.id,
            Self::Card(card) => card.id,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Full(user) => &user.name,
            Self::Card(card) => &card.name,
        }
    }

    pub fn role(&self) -> Role {
        match self {
            Self::Full(user) => user.role,
            Self::Card(card) => card.role,
        }
    }

    /// The whole user, for callers who may see it.
    ///
    /// # Errors
    /// `forbidden` if the caller sees only the card.
    pub fn full(self) -> Result<User, Error> {
        match self {
            Self::Full(user) => Ok(user),
            Self::Card(_) => Err(Error::new(ErrorCode::Forbidden)),
        }
    }
}

/// A user as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserState {
    #[serde(flatten)]
    pub user: User,
    #[serde(flatten)]
    pub preferences: Preferences,
    pub deleted_at: Option<Timestamp>,
    pub password_hash: String,
    /// Changes with the password: sessions of another value have ended…
    pub sessions_valid_from: Timestamp,
    /// …except the one that changed the password.
    pub kept_session_id: Option<Id>,
}

impl UserState {
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }
}

/// `user.created`, `user.updated`: the user after it, and which fields changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserPayload {
    pub user: User,
    // Events of before 0041 have none.
    #[serde(default)]
    #[schema(required)]
    pub preferences: Preferences,
    /// Names of the changed fields; `password` stands for a new one.
    pub changed: Vec<String>,
}

/// `user.deleted`: the user and the successors.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserDeletedPayload {
    pub user: User,
    /// Who receives customers, meetings and the approvals that the user requested.
    pub successor_id: Id,
    /// Who receives the approvals that wait for the user; null: every MANAGER may decide them.
    pub approver_id: Option<Id>,
    pub saga_id: Id,
}

/// `user.restored`: the user who is back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UserRestoredPayload {
    pub user: User,
    /// The saga that gives the user's records back.
    pub saga_id: Id,
    /// The deletion that it undoes.
    pub undoes: Id,
}

impl UserDeletedPayload {
    /// What services remember of a deleted user.
    pub fn deletion(&self) -> Deletion {
        Deletion {
            id: self.user.id,
            version: 1,
            successor_id: Some(self.successor_id),
            approver_id: self.approver_id,
            saga_id: self.saga_id,
        }
    }
}

impl Versioned for UserState {
    fn version(&self) -> i64 {
        self.user.version
    }
}

impl Versioned for User {
    fn version(&self) -> i64 {
        self.version
    }
}
