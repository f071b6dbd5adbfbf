//! What the server is sent; a field that is None is left out.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{CustomerStatus, Role, TaskStatus};

/// A change of a field that may be empty: None leaves it, `Some(None)` clears it.
pub type Change<T> = Option<Option<T>>;

/// A new user.
#[derive(Clone, Debug, Serialize)]
pub struct NewUser {
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Changes of a user.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UserChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_id: Change<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A new customer; one's own unless an owner is named.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewCustomer {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<CustomerStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
}

/// Changes of a customer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CustomerChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<CustomerStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
}

/// A new meeting; one's own unless an owner is named.
#[derive(Clone, Debug, Serialize)]
pub struct NewMeeting {
    pub customer_id: Uuid,
    pub title: String,
    pub met_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_minutes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
}

/// Changes of a meeting.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MeetingChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_minutes: Change<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
}

/// A new task; one's own unless an assignee is named.
#[derive(Clone, Debug, Serialize)]
pub struct NewTask {
    pub title: String,
    pub due_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
}

/// Changes of a task.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TaskChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Change<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
}

/// A new approval request; the caller is its requester.
#[derive(Clone, Debug, Serialize)]
pub struct NewApproval {
    pub customer_id: Uuid,
    pub title: String,
    /// In the currency's minor unit: yen, cents.
    pub amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_id: Option<Uuid>,
}

/// The body of a decision.
#[derive(Debug, Serialize)]
pub(crate) struct Comment<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
}

/// The body of a reassignment.
#[derive(Debug, Serialize)]
pub(crate) struct ApproverChange {
    pub approver_id: Uuid,
}
