//! What the server answers.

use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use serde::Deserialize;

/// What a login or a refresh gives.
#[derive(Clone, Debug, Deserialize)]
pub struct Tokens {
    pub access_token: String,
    /// Seconds until the access token runs out.
    pub expires_in: u64,
    /// Good for one refresh.
    pub refresh_token: String,
    pub user: User,
}

/// A user; SALES see only the id, name and role of others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    pub id: Id,
    pub name: String,
    pub role: Role,
    pub version: Option<i64>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub email: Option<String>,
    pub manager_id: Option<Id>,
    /// `ja` or `en`.
    pub locale: Option<String>,
    /// An IANA name.
    pub time_zone: Option<String>,
}

/// One of one's own notifications, in one's own language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Notification {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The type of the event it tells of: `customer.created`.
    pub kind: String,
    pub title: String,
    pub body: String,
    pub subject: Subject,
    /// What its text names; differs by kind.
    pub data: serde_json::Value,
    pub read_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subject {
    /// `customer`, `task`, `approval`.
    pub r#type: String,
    pub id: Id,
}

/// How many notifications were marked.
#[derive(Debug, Deserialize)]
pub(crate) struct ReadAll {
    pub count: u64,
}

/// The answer to a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deleted {
    pub id: Id,
    /// The saga that deletes or hands over what refers to it, where there is one.
    pub saga: Option<SagaLink>,
}

/// Where to read the progress of a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SagaLink {
    pub id: Id,
    pub href: String,
}
