//! When a user is deleted, the user's pending approvals go to the successors; when a customer is deleted, its pending
//! approvals are cancelled (SPEC §5, flows 7 and 8). This includes approvals that come later.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::deletions::{Deletions, Step, caused, send};
use crate::actors::opportunity::aggregate::ApprovalAggregate;
use crate::actors::sagas::progress::give_up;
use crate::persistence::deletions::{APPROVALS_OF_CUSTOMER, APPROVALS_OF_USER};
use domain::approval::record::ApprovalPayload;
use domain::approval::rules::ApprovalCommand;
use domain::customer::record::CustomerPayload;
use domain::deletion::Deletion;
use domain::events::{
    APPROVAL_CANCELLED, APPROVAL_REASSIGNED, APPROVAL_REQUESTED, APPROVALS_CANCELLED, APPROVALS_REASSIGNED,
    CUSTOMER_DELETED, USER_DELETED,
};
use domain::user::record::UserDeletedPayload;
use kernel::clock::Clock;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// The consumer that hands over or cancels approvals.
pub struct OpportunityDeletions {
    pub gone: Deletions,
    pub approvals: Entities<ApprovalAggregate>,
    pub clock: Clock,
}

impl Consumer for OpportunityDeletions {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Opportunity.id());
    const NAME: &'static str = "opportunity.departures";
    const TYPES: &'static [EventType] =
        &[USER_DELETED, CUSTOMER_DELETED, APPROVAL_REQUESTED, APPROVAL_REASSIGNED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            match event.event.event_type {
                USER_DELETED => unit.events.push(self.user_left(event).await?),
                CUSTOMER_DELETED => unit.events.extend(self.customer_left(event).await?),
                _ => {}
            }
        }
        self.move_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let (saga, step) = match event.event.event_type {
            USER_DELETED => {
                (event.payload::<UserDeletedPayload>().ok().map(|left| left.saga_id), APPROVALS_REASSIGNED)
            }
            _ => (event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id), APPROVALS_CANCELLED),
        };
        let Some(saga) = saga else { return Ok(UnitOfWork::default()) };
        give_up(db, saga, &[step], event, error, self.clock.now()).await
    }
}

impl OpportunityDeletions {
    async fn user_left(&self, event: &LoggedEvent) -> Result<Event, EffectError> {
        let deletion = event.payload::<UserDeletedPayload>()?.deletion();
        self.gone.note(&deletion).await?;
        if let Some((successor, approver)) = self.successors(&deletion).await? {
            let from = deletion.id;
            let hand_over = || ApprovalCommand::HandOver { from, successor, approver };
            let context = caused(event, &deletion);
            self.gone.each(&self.approvals, APPROVALS_OF_USER, from, &context, hand_over).await?;
        }
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: APPROVAL_REASSIGNED,
            closed_by: APPROVALS_REASSIGNED,
        };
        self.gone.closing(step, self.clock.now()).await
    }

    async fn customer_left(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(None) };
        self.gone.note(&deletion).await?;
        let (id, context) = (deletion.id, caused(event, &deletion));
        let cancel = || ApprovalCommand::Cancel { comment: None };
        self.gone.each(&self.approvals, APPROVALS_OF_CUSTOMER, id, &context, cancel).await?;
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: APPROVAL_CANCELLED,
            closed_by: APPROVALS_CANCELLED,
        };
        Ok(Some(self.gone.closing(step, self.clock.now()).await?))
    }

    /// The users in a deleted user's place: as requester, and as approver.
    async fn successors(&self, deletion: &Deletion) -> Result<Option<(Id, Option<Id>)>, EffectError> {
        let Some(successor) = self.gone.successor(deletion).await? else { return Ok(None) };
        let approver = self.gone.approver(deletion).await?;
        Ok(Some((successor, approver)))
    }

    async fn move_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut approvals = Vec::new();
        let late = |event: &&Arc<LoggedEvent>| {
            matches!(event.event.event_type, APPROVAL_REQUESTED | APPROVAL_REASSIGNED)
        };
        for event in events.iter().filter(late) {
            approvals.push((event, event.payload::<ApprovalPayload>()?.approval));
        }
        let named = approvals.iter().flat_map(|(_, approval)| {
            [Some(approval.customer_id), Some(approval.requester_id), approval.approver_id]
        });
        let gone = self.gone.among(named.flatten().collect()).await?;
        for (event, approval) in approvals {
            if let Some(deletion) = gone.get(&approval.customer_id) {
                let cancel = ApprovalCommand::Cancel { comment: None };
                send(&self.approvals, approval.id, cancel, &caused(event, deletion)).await?;
                continue;
            }
            for from in [Some(approval.requester_id), approval.approver_id].into_iter().flatten() {
                let Some(deletion) = gone.get(&from) else { continue };
                if let Some((successor, approver)) = self.successors(deletion).await? {
                    let hand_over = ApprovalCommand::HandOver { from, successor, approver };
                    send(&self.approvals, approval.id, hand_over, &caused(event, deletion)).await?;
                }
            }
        }
        Ok(())
    }
}
