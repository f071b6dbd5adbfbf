//! The state machine of sagas. Pure.

use crate::bulk::progress::BulkProgress;
use crate::events as catalogue;
use crate::saga::record::{Counts, Saga, SagaKind, SagaPayload, SagaStatus, Step, StepPayload, StepStatus};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;
use std::time::Duration;

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::ids::Id;

/// How long it is known what a saga did: long enough to find a mistake at the end of a quarter.
pub const UNDO_KEPT: Duration = Duration::from_hours(24 * 90);

/// What happened to a saga, with the saga after it.
#[derive(Debug)]
pub enum SagaEvent {
    Started(Saga),
    StepCompleted {
        after: Saga,
        step: &'static str,
    },
    Completed(Saga),
    Failed {
        after: Saga,
        step: &'static str,
        error: String,
    },
    /// Another saga begins to undo it.
    Undone(Saga),
}

/// A service's report about a step.
#[derive(Debug)]
pub enum Report {
    Done {
        count: i64,
        /// The records that an undo has left: the first of them, and how many.
        left: (Vec<Id>, i64),
    },
    /// A batch of a change of many records.
    Batch { changed: i64, unchanged: i64, refused: Vec<Id>, rows: Vec<i64> },
    /// The retries are used up.
    Failed { error: String },
}

/// A new saga.
pub fn begin(kind: SagaKind, id: Id, subject_id: Id, by: &Caller, now: Timestamp) -> Saga {
    let steps = kind.plan().iter().map(|plan| Step {
        service: plan.service.to_string(),
        name: plan.name.to_owned(),
        status: StepStatus::Pending,
        counts: Counts::from([(plan.counts, 0)]),
        left: Vec::new(),
        left_count: 0,
        finished_at: None,
    });
    Saga {
        id,
        version: 1,
        kind,
        subject_id,
        status: SagaStatus::Running,
        started_by: by.actor_id(),
        started_at: now,
        finished_at: None,
        steps: steps.collect(),
        bulk: None,
        undoes: None,
        undone_by: None,
        undo_until: Some(now.plus(UNDO_KEPT)),
    }
}

/// A new saga that changes records in so many steps.
pub fn begin_bulk(
    kind: SagaKind,
    id: Id,
    bulk: BulkProgress,
    steps: usize,
    by: &Caller,
    now: Timestamp,
) -> Saga {
    let saga = begin(kind, id, id, by, now);
    let steps = saga.steps.iter().cycle().take(steps).cloned().collect();
    Saga { steps, bulk: Some(bulk), ..saga }
}

/// A new saga that imports the rows of an import in so many steps. Without a step it is completed at once.
pub fn begin_import(
    kind: SagaKind,
    (id, import): (Id, Id),
    bulk: BulkProgress,
    steps: usize,
    by: &Caller,
    now: Timestamp,
) -> Vec<SagaEvent> {
    let saga = Saga { subject_id: import, ..begin_bulk(kind, id, bulk, steps, by, now) };
    let completed = |saga: &Saga| {
        let (status, finished_at) = (SagaStatus::Completed, Some(now));
        SagaEvent::Completed(Saga { version: saga.version + 1, status, finished_at, ..saga.clone() })
    };
    let completed = (steps == 0).then(|| completed(&saga));
    std::iter::once(SagaEvent::Started(saga)).chain(completed).collect()
}

/// The events that a report about the step closed by `closed_by` leads to; none if the report says nothing new.
pub fn advance(saga: &Saga, closed_by: EventType, report: &Report, now: Timestamp) -> Vec<SagaEvent> {
    match saga.kind.plan().iter().position(|plan| plan.closed_by == closed_by) {
        Some(place) => advance_step(saga, (place, place), report, now),
        None => Vec::new(),
    }
}

/// As [`advance`], for a step of a change of many records.
pub fn advance_batch(saga: &Saga, number: i64, report: &Report, now: Timestamp) -> Vec<SagaEvent> {
    match usize::try_from(number) {
        Ok(place) => advance_step(saga, (place, 0), report, now),
        Err(_) => Vec::new(),
    }
}

/// `place` is the step's, `plan` that of its plan.
fn advance_step(
    saga: &Saga,
    (place, plan): (usize, usize),
    report: &Report,
    now: Timestamp,
) -> Vec<SagaEvent> {
    let (Some(plan), Some(step)) = (saga.kind.plan().get(plan), saga.steps.get(place)) else {
        return Vec::new();
    };
    if step.status == StepStatus::Done {
        return Vec::new();
    }
    let mut after = Saga { version: saga.version + 1, ..saga.clone() };
    let step = &mut after.steps[place];
    step.finished_at = Some(now);
    let count = match report {
        Report::Failed { error } => {
            step.status = StepStatus::Failed;
            after.status = SagaStatus::Failed;
            after.finished_at = Some(now);
            return vec![SagaEvent::Failed { after, step: plan.name, error: error.clone() }];
        }
        Report::Done { count, left: (left, left_count) } => {
            (step.left, step.left_count) = (left.clone(), *left_count);
            *count
        }
        Report::Batch { changed, unchanged, refused, rows } => {
            if let Some(bulk) = &mut after.bulk {
                bulk.add(*changed, *unchanged, refused, rows);
            }
            *changed
        }
    };
    let step = &mut after.steps[place];
    step.status = StepStatus::Done;
    step.counts.insert(plan.counts, count);
    let failed = after.steps.iter().any(|step| step.status == StepStatus::Failed);
    after.status = if failed { SagaStatus::Failed } else { SagaStatus::Running };
    after.finished_at = after.finished_at.filter(|_| failed);
    let mut events = vec![SagaEvent::StepCompleted { after: after.clone(), step: plan.name }];
    if after.steps.iter().all(|step| step.status == StepStatus::Done) {
        after.version += 1;
        after.status = SagaStatus::Completed;
        after.finished_at = Some(now);
        events.push(SagaEvent::Completed(after));
    }
    events
}

/// Whether the caller may see the saga: SALES see their own, MANAGER and ADMIN all (SPEC §1).
pub fn is_visible(saga: &Saga, caller: &Caller) -> bool {
    caller.only_owner().is_none_or(|user| saga.started_by == Some(user))
}

impl StateAfter for SagaEvent {
    type State = Saga;

    fn after(&self) -> &Saga {
        match self {
            Self::Started(after)
            | Self::StepCompleted { after, .. }
            | Self::Completed(after)
            | Self::Failed { after, .. }
            | Self::Undone(after) => after,
        }
    }
}

impl DomainEvent for SagaEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Started(_) => catalogue::SAGA_STARTED,
            Self::StepCompleted { .. } => catalogue::SAGA_STEP_COMPLETED,
            Self::Completed(_) => catalogue::SAGA_COMPLETED,
            Self::Failed { .. } => catalogue::SAGA_FAILED,
            Self::Undone(_) => catalogue::SAGA_UNDONE,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (step, error) = match self {
            Self::Started(_) | Self::Completed(_) | Self::Undone(_) => (None, None),
            Self::StepCompleted { step, .. } => (Some((*step).to_owned()), None),
            Self::Failed { step, error, .. } => (Some((*step).to_owned()), Some(error.clone())),
        };
        raw(&SagaPayload { saga: self.after().clone(), step, error })
    }
}

/// A step that is done.
#[derive(Debug)]
pub struct StepClosed {
    pub closed_by: EventType,
    pub payload: StepPayload,
}

impl DomainEvent for StepClosed {
    fn event_type(&self) -> EventType {
        self.closed_by
    }

    fn data(&self) -> Box<RawValue> {
        raw(&self.payload)
    }

    // The steps of a saga are ordered.
    fn partition_key(&self, subject: Id) -> Id {
        self.payload.saga_id.unwrap_or(subject)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use kernel::ids::new_id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn saga(kind: SagaKind) -> Saga {
        begin(kind, new_id(), new_id(), &Caller::system(), at(0))
    }

    /// The saga after reports, and how many events they led to.
    fn told(kind: SagaKind, reports: &[(usize, bool)]) -> (Saga, usize) {
        let (mut saga, mut events) = (saga(kind), 0);
        for (second, (step, done)) in (1..).zip(reports) {
            let closed_by = kind.plan()[*step].closed_by;
            let report = match done {
                true => Report::Done { count: *step as i64, left: (Vec::new(), 0) },
                false => Report::Failed { error: "no".into() },
            };
            for event in advance(&saga, closed_by, &report, at(second)) {
                assert_eq!(event.after().version, saga.version + 1, "an event is a version");
                saga = event.after().clone();
                events += 1;
            }
        }
        (saga, events)
    }

    #[test]
    fn steps_close_by_different_events_and_have_different_names() {
        for kind in SagaKind::ALL {
            for (place, plan) in kind.plan().iter().enumerate() {
                let others = kind.plan().iter().skip(place + 1);
                assert!(
                    others
                        .into_iter()
                        .all(|other| other.closed_by != plan.closed_by && other.name != plan.name)
                );
            }
        }
    }

    #[test]
    fn a_failed_step_fails_the_saga_until_it_is_done_after_all() {
        let kind = SagaKind::CustomerDeletion;
        let (failed, _) = told(kind, &[(0, true), (1, false), (2, true)]);
        assert_eq!((failed.status, failed.finished_at), (SagaStatus::Failed, Some(at(2))));
        let (completed, _) = told(kind, &[(0, true), (1, false), (2, true), (3, true), (4, true), (1, true)]);
        assert_eq!((completed.status, completed.finished_at), (SagaStatus::Completed, Some(at(6))));
    }

    #[test]
    fn a_change_of_many_records_adds_up_its_batches_in_any_order_and_each_once() {
        let (kind, by) = (SagaKind::TasksChange, Caller::system());
        let bulk = BulkProgress { total: 5, ..BulkProgress::default() };
        let mut saga = begin_bulk(kind, new_id(), bulk, 2, &by, at(0));
        assert_eq!((saga.subject_id, saga.steps.len()), (saga.id, 2));
        let refused = new_id();
        let batch = |changed| Report::Batch { changed, unchanged: 1, refused: vec![refused], rows: vec![] };
        for (second, (number, changed)) in (1..).zip([(1, 1), (1, 9), (0, 0), (7, 9), (-1, 9)]) {
            for event in advance_batch(&saga, number, &batch(changed), at(second)) {
                assert_eq!(event.after().version, saga.version + 1);
                saga = event.after().clone();
            }
        }
        let bulk = saga.bulk.expect("its progress");
        assert_eq!((bulk.changed, bulk.unchanged, bulk.refused, bulk.refused_ids.len()), (1, 2, 2, 2));
        assert_eq!((saga.status, saga.finished_at), (SagaStatus::Completed, Some(at(3))));
    }

    proptest! {
        #[test]
        fn it_completes_when_every_step_is_done_whatever_the_order_and_however_often_it_is_told(
            reports in proptest::collection::vec((0_usize..5, any::<bool>()), 0..40)
        ) {
            for kind in SagaKind::DELETIONS {
                let (saga, events) = told(kind, &reports);
                let done = |step: usize| reports.iter().any(|(told, done)| *told == step && *done);
                prop_assert_eq!(saga.status == SagaStatus::Completed, (0..5).all(done));
                prop_assert_eq!(saga.finished_at.is_some(), saga.status != SagaStatus::Running);
                prop_assert_eq!(saga.version as usize, events + 1);
                for (place, step) in saga.steps.iter().enumerate() {
                    prop_assert_eq!(step.status == StepStatus::Done, done(place));
                    let count = if done(place) { place as i64 } else { 0 };
                    prop_assert_eq!(step.counts.get(&kind.plan()[place].counts), Some(&count));
                }
            }
        }
    }
}
