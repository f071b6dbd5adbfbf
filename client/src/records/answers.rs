//! What the server answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    Sales,
    Manager,
    Admin,
}

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
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub version: Option<i64>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub email: Option<String>,
    pub manager_id: Option<Uuid>,
    /// `ja` or `en`.
    pub locale: Option<String>,
    /// An IANA name.
    pub time_zone: Option<String>,
}

/// How far along a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CustomerStatus {
    Lead,
    Active,
    Dormant,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Customer {
    pub id: Uuid,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub status: CustomerStatus,
    pub notes: Option<String>,
    pub owner_id: Uuid,
}

/// A meeting with a customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Meeting {
    pub id: Uuid,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub customer_id: Uuid,
    pub title: String,
    pub met_at: DateTime<Utc>,
    pub duration_minutes: Option<i64>,
    pub location: Option<String>,
    pub notes: Option<String>,
    pub outcome: Option<String>,
    pub owner_id: Uuid,
}

/// Whether a task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskStatus {
    Open,
    Done,
}

/// Something to be done by a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Task {
    pub id: Uuid,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub title: String,
    pub due_at: DateTime<Utc>,
    pub status: TaskStatus,
    pub completed_at: Option<DateTime<Utc>>,
    pub customer_id: Option<Uuid>,
    pub assignee_id: Uuid,
    pub notes: Option<String>,
}

/// How an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Rejected,
    Cancelled,
}

/// A request for approval, and what was decided.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Approval {
    pub id: Uuid,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub customer_id: Uuid,
    pub title: String,
    /// In the currency's minor unit: yen, cents.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    pub reason: Option<String>,
    pub status: ApprovalStatus,
    pub requester_id: Uuid,
    /// Whom it waits for; every MANAGER if nobody is named.
    pub approver_id: Option<Uuid>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTime<Utc>>,
    pub comment: Option<String>,
}

/// One of one's own notifications, in one's own language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Notification {
    pub id: Uuid,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The type of the event it tells of: `customer.created`.
    pub kind: String,
    pub title: String,
    pub body: String,
    pub subject: Subject,
    /// What its text names; differs by kind.
    pub data: serde_json::Value,
    pub read_at: Option<DateTime<Utc>>,
    pub archived_at: Option<DateTime<Utc>>,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subject {
    /// `customer`, `task`, `approval`.
    pub r#type: String,
    pub id: Uuid,
}

/// How many notifications were marked.
#[derive(Debug, Deserialize)]
pub(crate) struct ReadAll {
    pub count: u64,
}

/// How far a saga is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SagaStatus {
    Running,
    Completed,
    Failed,
}

/// How far a saga's step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    Pending,
    Done,
    Failed,
}

/// A deletion that several services carry out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Saga {
    pub id: Uuid,
    /// `user_deletion`, `customer_deletion`.
    pub kind: String,
    /// The user or customer that is deleted.
    pub subject_id: Uuid,
    pub status: SagaStatus,
    pub started_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub steps: Vec<Step>,
}

/// A step of a saga.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Step {
    pub service: String,
    pub name: String,
    pub status: StepStatus,
    /// How many records it touched, by kind: `customers`, `meetings`, `tasks`, `approvals`, `notifications`.
    pub counts: BTreeMap<String, i64>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// The answer to a deletion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deleted {
    pub id: Uuid,
    /// The saga that deletes or hands over what refers to it, where there is one.
    pub saga: Option<SagaLink>,
}

/// Where a deletion's progress is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SagaLink {
    pub id: Uuid,
    pub href: String,
}
