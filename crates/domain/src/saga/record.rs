//! A saga, the plan of its steps, and the payloads of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use std::collections::BTreeMap;

use crate::bulk::progress::BulkProgress;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// How many records of each kind a step touched; kinds that it does not handle are absent.
pub type Counts = BTreeMap<Counted, i64>;

/// The kinds of records that steps count (SPEC §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Counted {
    Customers,
    Meetings,
    Tasks,
    Approvals,
    Notifications,
    Deals,
}

/// What a saga carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SagaKind {
    UserDeletion,
    CustomerDeletion,
    /// Many records are changed or deleted.
    CustomersChange,
    MeetingsChange,
    TasksChange,
    DealsChange,
    /// Rows of a file are imported.
    CustomersImport,
    MeetingsImport,
    TasksImport,
    DealsImport,
}

/// The status of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SagaStatus {
    Running,
    Completed,
    /// A step is a dead letter; its redrive may still complete the saga.
    Failed,
}

/// The status of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    Pending,
    Done,
    Failed,
}

/// A step of a saga.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    #[schema(example = "customer")]
    pub service: String,
    #[schema(example = "reassign_customers")]
    pub name: String,
    pub status: StepStatus,
    /// How many records it touched, by kind.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub counts: Counts,
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
}

/// A deletion, or a change of many records, that is under way or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Saga {
    pub id: Id,
    pub version: i64,
    pub kind: SagaKind,
    /// The user or customer that is deleted; the import that is carried out; of a change of many records, the saga itself.
    pub subject_id: Id,
    pub status: SagaStatus,
    #[schema(required)]
    pub started_by: Option<Id>,
    pub started_at: Timestamp,
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
    pub steps: Vec<Step>,
    /// What a change of many records has done so far; null for a deletion.
    #[serde(default)]
    #[schema(required)]
    pub bulk: Option<BulkProgress>,
}

/// `saga.started`, `saga.step_completed`, `saga.completed`, `saga.failed`: the saga after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SagaPayload {
    pub saga: Saga,
    /// Which step it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The plural types of events: the sum of what a step did; the events of single records come before.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StepPayload {
    /// Null if no saga asked for it, for example when a reader archives a notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saga_id: Option<Id>,
    /// The user or customer that was deleted.
    pub subject_id: Id,
    /// The user who received the records, if they were handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<Id>,
    /// The ids of the records, or of the first of very many.
    pub ids: Vec<Id>,
    /// The number of records.
    pub count: i64,
}

impl Versioned for Saga {
    fn version(&self) -> i64 {
        self.version
    }
}
