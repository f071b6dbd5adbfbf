//! When a user is deleted, the user's pending approvals and the deals go to the successors; when a customer is deleted, its
//! pending approvals are cancelled and its open deals are lost, and when it is merged, all of them go to the other customer (SPEC §5,
//! flows 7 and 8). This includes records that come later. When one of them is back, so are the approvals and deals.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::deletions::{Deletions, Returned, Step, caused, saga_of};
use crate::actors::opportunity::approval_aggregate::ApprovalAggregate;
use crate::actors::opportunity::deal_aggregate::DealAggregate;
use crate::actors::sagas::progress::give_up;
use crate::persistence::deletions::{
    APPROVALS_OF_CUSTOMER, APPROVALS_OF_USER, DEALS_OF_CUSTOMER, DEALS_OF_OWNER, OPEN_DEALS_OF_CUSTOMER,
    PENDING_APPROVALS_OF_CUSTOMER,
};
use domain::approval::record::ApprovalPayload;
use domain::approval::rules::ApprovalCommand;
use domain::customer::record::CustomerPayload;
use domain::deal::record::DealPayload;
use domain::deal::rules::DealCommand;
use domain::deletion::Deletion;
use domain::events::{
    APPROVAL_CANCELLED, APPROVAL_MOVED, APPROVAL_REASSIGNED, APPROVAL_REQUESTED, APPROVAL_RESTORED,
    APPROVALS_CANCELLED, APPROVALS_MOVED, APPROVALS_REASSIGNED, APPROVALS_RESTORED, CUSTOMER_DELETED,
    CUSTOMER_MERGED, CUSTOMER_RESTORED, DEAL_CREATED, DEAL_LOST, DEAL_RESTORED, DEAL_UPDATED, DEAL_WON,
    DEALS_CLOSED, DEALS_MOVED, DEALS_REASSIGNED, DEALS_RESTORED, USER_DELETED, USER_RESTORED,
};
use domain::user::record::UserDeletedPayload;
use kernel::clock::Clock;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// The types whose events have a deal that may have come late.
const DEAL_TYPES: [EventType; 5] = [DEAL_CREATED, DEAL_UPDATED, DEAL_WON, DEAL_LOST, DEAL_RESTORED];
/// The types whose events have an approval that may have come late.
const APPROVAL_TYPES: [EventType; 4] =
    [APPROVAL_REQUESTED, APPROVAL_REASSIGNED, APPROVAL_MOVED, APPROVAL_RESTORED];

/// The consumer that hands over approvals and deals, or ends them.
pub struct OpportunityDeletions {
    pub gone: Deletions,
    pub approvals: Entities<ApprovalAggregate>,
    pub deals: Entities<DealAggregate>,
    pub clock: Clock,
}

impl Consumer for OpportunityDeletions {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Opportunity.id());
    const NAME: &'static str = "opportunity.departures";
    const TYPES: &'static [EventType] = &[
        USER_DELETED,
        USER_RESTORED,
        CUSTOMER_DELETED,
        CUSTOMER_MERGED,
        CUSTOMER_RESTORED,
        APPROVAL_REQUESTED,
        APPROVAL_REASSIGNED,
        APPROVAL_MOVED,
        APPROVAL_RESTORED,
        DEAL_CREATED,
        DEAL_UPDATED,
        DEAL_WON,
        DEAL_LOST,
        DEAL_RESTORED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            match event.event.event_type {
                USER_DELETED => unit.events.extend(self.user_left(event).await?),
                CUSTOMER_DELETED => unit.events.extend(self.customer_left(event).await?),
                CUSTOMER_MERGED => unit.events.extend(self.customer_merged(event).await?),
                CUSTOMER_RESTORED => {
                    unit.events.extend(self.returned(&Returned::customer(event)?).await?);
                }
                USER_RESTORED => unit.events.extend(self.returned(&Returned::user(event)?).await?),
                _ => {}
            }
        }
        self.move_late_approvals(events).await?;
        self.move_late_deals(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let (saga, steps): (_, &[EventType]) = match event.event.event_type {
            USER_DELETED => (
                event.payload::<UserDeletedPayload>().ok().map(|left| left.saga_id),
                &[APPROVALS_REASSIGNED, DEALS_REASSIGNED],
            ),
            CUSTOMER_DELETED => (saga_of(event), &[APPROVALS_CANCELLED, DEALS_CLOSED]),
            CUSTOMER_MERGED => (saga_of(event), &[APPROVALS_MOVED, DEALS_MOVED]),
            CUSTOMER_RESTORED => (saga_of(event), &[APPROVALS_RESTORED, DEALS_RESTORED]),
            USER_RESTORED => (
                Returned::user(event).ok().map(|returned| returned.undo.saga_id),
                &[APPROVALS_RESTORED, DEALS_RESTORED],
            ),
            _ => (None, &[]),
        };
        let Some(saga) = saga else { return Ok(UnitOfWork::default()) };
        give_up(db, saga, steps, event, error, self.clock.now()).await
    }
}

impl OpportunityDeletions {
    async fn user_left(&self, event: &LoggedEvent) -> Result<[Event; 2], EffectError> {
        let deletion = event.payload::<UserDeletedPayload>()?.deletion();
        self.gone.note(&deletion).await?;
        if let Some((successor, approver)) = self.successors(&deletion).await? {
            let from = deletion.id;
            let hand_over = || ApprovalCommand::HandOver { from, successor, approver };
            let context = caused(event, &deletion);
            self.gone.each(&self.approvals, APPROVALS_OF_USER, &deletion, &context, hand_over).await?;
            let hand_over = || DealCommand::HandOver { from, to: successor };
            self.gone.each(&self.deals, DEALS_OF_OWNER, &deletion, &context, hand_over).await?;
        }
        Ok([
            self.closing(event, &deletion, APPROVAL_REASSIGNED, APPROVALS_REASSIGNED).await?,
            self.closing(event, &deletion, DEAL_UPDATED, DEALS_REASSIGNED).await?,
        ])
    }

    async fn customer_left(&self, event: &LoggedEvent) -> Result<Vec<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(Vec::new()) };
        self.gone.note(&deletion).await?;
        let (customer_id, context) = (deletion.id, caused(event, &deletion));
        let cancel = || ApprovalCommand::CancelWith { customer_id };
        self.gone.each(&self.approvals, PENDING_APPROVALS_OF_CUSTOMER, &deletion, &context, cancel).await?;
        let close = || DealCommand::Close { customer_id };
        self.gone.each(&self.deals, OPEN_DEALS_OF_CUSTOMER, &deletion, &context, close).await?;
        Ok(vec![
            self.closing(event, &deletion, APPROVAL_CANCELLED, APPROVALS_CANCELLED).await?,
            self.closing(event, &deletion, DEAL_LOST, DEALS_CLOSED).await?,
        ])
    }

    async fn customer_merged(&self, event: &LoggedEvent) -> Result<Vec<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(Vec::new()) };
        self.gone.note(&deletion).await?;
        let (from, context) = (deletion.id, caused(event, &deletion));
        // Where the other customer is deleted by now, the records find that out as latecomers.
        if let Some(to) = deletion.successor_id {
            let go = || ApprovalCommand::Move { from, to };
            self.gone.each(&self.approvals, APPROVALS_OF_CUSTOMER, &deletion, &context, go).await?;
            let go = || DealCommand::Move { from, to };
            self.gone.each(&self.deals, DEALS_OF_CUSTOMER, &deletion, &context, go).await?;
        }
        Ok(vec![
            self.closing(event, &deletion, APPROVAL_MOVED, APPROVALS_MOVED).await?,
            self.closing(event, &deletion, DEAL_UPDATED, DEALS_MOVED).await?,
        ])
    }

    async fn returned(&self, returned: &Returned<'_>) -> Result<[Event; 2], EffectError> {
        self.gone.forget(returned.id, returned.undo.undoes).await?;
        let now = self.clock.now();
        Ok([
            self.gone.take_back(&self.approvals, returned, APPROVALS_RESTORED, now).await?,
            self.gone.take_back(&self.deals, returned, DEALS_RESTORED, now).await?,
        ])
    }

    async fn closing(
        &self,
        cause: &LoggedEvent,
        deletion: &Deletion,
        single: EventType,
        closed_by: EventType,
    ) -> Result<Event, EffectError> {
        self.gone.closing(Step { cause, deletion, single, closed_by }, self.clock.now()).await
    }

    /// The users in a deleted user's place: as requester, and as approver.
    async fn successors(&self, deletion: &Deletion) -> Result<Option<(Id, Option<Id>)>, EffectError> {
        let Some(successor) = self.gone.successor(deletion).await? else { return Ok(None) };
        let approver = self.gone.approver(deletion).await?;
        Ok(Some((successor, approver)))
    }

    async fn move_late_approvals(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut approvals = Vec::new();
        for event in events.iter().filter(|event| APPROVAL_TYPES.contains(&event.event.event_type)) {
            approvals.push((event, event.payload::<ApprovalPayload>()?.approval));
        }
        let named = approvals.iter().flat_map(|(_, approval)| {
            [Some(approval.customer_id), Some(approval.requester_id), approval.approver_id]
        });
        let gone = self.gone.among(named.flatten().collect()).await?;
        for (event, approval) in approvals {
            if let Some(deletion) = gone.get(&approval.customer_id) {
                let late = match self.gone.successor(deletion).await? {
                    Some(to) => ApprovalCommand::Move { from: deletion.id, to },
                    None => ApprovalCommand::CancelWith { customer_id: deletion.id },
                };
                let saga = (deletion.saga_id, &caused(event, deletion));
                self.gone.send(&self.approvals, approval.id, late, saga).await?;
                continue;
            }
            for from in [Some(approval.requester_id), approval.approver_id].into_iter().flatten() {
                let Some(deletion) = gone.get(&from) else { continue };
                if let Some((successor, approver)) = self.successors(deletion).await? {
                    let hand_over = ApprovalCommand::HandOver { from, successor, approver };
                    let saga = (deletion.saga_id, &caused(event, deletion));
                    self.gone.send(&self.approvals, approval.id, hand_over, saga).await?;
                }
            }
        }
        Ok(())
    }

    async fn move_late_deals(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut deals = Vec::new();
        for event in events.iter().filter(|event| DEAL_TYPES.contains(&event.event.event_type)) {
            deals.push((event, event.payload::<DealPayload>()?.deal));
        }
        let named = deals.iter().flat_map(|(_, deal)| [deal.customer_id, deal.owner_id]);
        let gone = self.gone.among(named.collect()).await?;
        for (event, deal) in deals {
            let (from, mut late) = (deal.owner_id, None);
            if let Some(deletion) = gone.get(&deal.customer_id) {
                late = match self.gone.successor(deletion).await? {
                    Some(to) => Some((deletion, DealCommand::Move { from: deletion.id, to })),
                    None => Some((deletion, DealCommand::Close { customer_id: deletion.id }))
                        .filter(|_| deal.stage.is_open()),
                };
            }
            // What this changes is an event, too, which hands it over if its owner is deleted.
            if let Some((deletion, command)) = late {
                let saga = (deletion.saga_id, &caused(event, deletion));
                self.gone.send(&self.deals, deal.id, command, saga).await?;
            } else if let Some(deletion) = gone.get(&from)
                && let Some(to) = self.gone.successor(deletion).await?
            {
                let hand_over = DealCommand::HandOver { from, to };
                let saga = (deletion.saga_id, &caused(event, deletion));
                self.gone.send(&self.deals, deal.id, hand_over, saga).await?;
            }
        }
        Ok(())
    }
}
