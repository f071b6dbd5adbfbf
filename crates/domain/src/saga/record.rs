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

impl Counted {
    /// Its name in counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Meetings => "meetings",
            Self::Tasks => "tasks",
            Self::Approvals => "approvals",
            Self::Notifications => "notifications",
            Self::Deals => "deals",
        }
    }
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
    /// A customer goes into another one.
    CustomerMerge,
    /// The deletion or the merge of a customer is undone.
    CustomerRestoration,
    /// The deletion of a user is undone.
    UserRestoration,
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
    /// The first 1,000 of the records that an undo has left as they are, because somebody has changed them since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub left: Vec<Id>,
    /// How many these are.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(value_type = i64, required = false)]
    pub left_count: i64,
    #[schema(required)]
    pub finished_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &i64) -> bool {
    *count == 0
}

/// A deletion, a merge, a change of many records, or the undo of one, that is under way or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Saga {
    pub id: Id,
    pub version: i64,
    pub kind: SagaKind,
    /// The user or customer that is deleted or restored, or the customer that goes into another one; the import that is carried
    /// out; of a change of many records, the saga itself.
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
    /// The saga that this one undoes.
    #[serde(default)]
    #[schema(required)]
    pub undoes: Option<Id>,
    /// The saga that undoes this one.
    #[serde(default)]
    #[schema(required)]
    pub undone_by: Option<Id>,
    /// Until when it is known what it did, so that it can be undone. Null for sagas of before there was an undo.
    #[serde(default)]
    #[schema(required)]
    pub undo_until: Option<Timestamp>,
}

/// `saga.started`, `saga.step_completed`, `saga.completed`, `saga.failed`, `saga.undone`: the saga after it.
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
    /// The user or customer that was deleted, merged or restored.
    pub subject_id: Id,
    /// The user or customer who received the records, if they were handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<Id>,
    /// The ids of the records, or of the first of very many.
    pub ids: Vec<Id>,
    /// The number of records.
    pub count: i64,
    /// The first 1,000 of the records that an undo has left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub left: Vec<Id>,
    /// How many these are.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(value_type = i64, required = false)]
    pub left_count: i64,
}

impl Versioned for Saga {
    fn version(&self) -> i64 {
        self.version
    }
}
