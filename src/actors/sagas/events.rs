//! The payloads of sagas' events, and of those by which services close a step (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::domain::{Saga, SagaEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

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

impl DomainEvent for SagaEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Started(_) => catalogue::SAGA_STARTED,
            Self::StepCompleted { .. } => catalogue::SAGA_STEP_COMPLETED,
            Self::Completed(_) => catalogue::SAGA_COMPLETED,
            Self::Failed { .. } => catalogue::SAGA_FAILED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (step, error) = match self {
            Self::Started(_) | Self::Completed(_) => (None, None),
            Self::StepCompleted { step, .. } => (Some((*step).to_owned()), None),
            Self::Failed { step, error, .. } => (Some((*step).to_owned()), Some(error.clone())),
        };
        raw(&SagaPayload { saga: self.after().clone(), step, error })
    }
}

/// The plural types: what a step did, of which the events of single records have told before.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct StepPayload {
    /// None where no saga asked for it, as when a reader archives a notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saga_id: Option<Id>,
    /// The user or customer that was deleted.
    pub subject_id: Id,
    /// Who received the records, where they were handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<Id>,
    /// The records: all of them, or the first of very many.
    pub ids: Vec<Id>,
    /// How many they are.
    pub count: i64,
}

/// A step that is done.
#[derive(Debug)]
pub struct StepClosed {
    pub closed_by: &'static str,
    pub payload: StepPayload,
}

impl DomainEvent for StepClosed {
    fn event_type(&self) -> &'static str {
        self.closed_by
    }

    fn data(&self) -> Box<RawValue> {
        raw(&self.payload)
    }

    // A saga hears of its steps in one order.
    fn partition(&self, subject: Id) -> Id {
        self.payload.saga_id.unwrap_or(subject)
    }
}
