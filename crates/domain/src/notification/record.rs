//! A notification, and the payloads of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// A notification as it is stored: a kind and its parameters, rendered in the reader's language by the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Its reader.
    pub user_id: Id,
    /// The event's type; its text stands in `locales/` under this name.
    pub kind: String,
    pub subject_type: String,
    pub subject_id: Id,
    /// The customer that it concerns: the customer's deletion archives the notification.
    pub customer_id: Option<Id>,
    pub data: NotificationData,
    pub read_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

/// The parameters of a notification's text; which of them are present depends on the kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationData {
    /// Of customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner_id: Option<Id>,
    /// Of approvals, deals, tasks and comments: what their record is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// Of approvals and deals, in the currency's minor unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub requester_id: Option<Id>,
    /// The requester's name at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub requester_name: Option<String>,
    /// Of approvals that are decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_by: Option<Id>,
    /// The name at that time of the user who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_by_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub comment: Option<String>,
    /// Of comments: the comment to which the notification leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub comment_id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub author_id: Option<Id>,
    /// The author's name at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub author_name: Option<String>,
    /// Of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_at: Option<Timestamp>,
}

/// `notification.created`, `notification.read`: the notification after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NotificationPayload {
    pub notification: Notification,
}

/// `notifications.archived`: notifications of a user that were archived, by the reader or by a customer's deletion.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ArchivedPayload {
    pub user_id: Id,
    /// The subject of the event: the notification, if its reader archived it.
    pub subject_id: Id,
    pub ids: Vec<Id>,
    pub count: usize,
    /// Null if it was never read, and in events that were recorded before this field.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
}

impl Versioned for Notification {
    fn version(&self) -> i64 {
        self.version
    }
}
