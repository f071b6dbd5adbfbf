//! When a user is deleted, the user's pending approvals and the deals go to the successors; when a customer is deleted, its
//! pending approvals are cancelled and its open deals are lost (SPEC §5, flows 7 and 8). This includes records that come later.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::deletions::{Deletions, Step, caused, send};
use crate::actors::opportunity::approval_aggregate::ApprovalAggregate;
use crate::actors::opportunity::deal_aggregate::DealAggregate;
use crate::actors::sagas::progress::give_up;
use crate::persistence::deletions::{
    APPROVALS_OF_CUSTOMER, APPROVALS_OF_USER, DEALS_OF_OWNER, OPEN_DEALS_OF_CUSTOMER,
};
use domain::approval::record::ApprovalPayload;
use domain::approval::rules::ApprovalCommand;
use domain::customer::record::CustomerPayload;
use domain::deal::record::DealPayload;
use domain::deal::rules::DealCommand;
use domain::deletion::Deletion;
use domain::events::{
    APPROVAL_CANCELLED, APPROVAL_REASSIGNED, APPROVAL_REQUESTED, APPROVALS_CANCELLED, APPROVALS_REASSIGNED,
    CUSTOMER_DELETED, DEAL_CREATED, DEAL_LOST, DEAL_UPDATED, DEAL_WON, DEALS_CLOSED, DEALS_REASSIGNED,
    USER_DELETED,
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
const DEAL_TYPES: [EventType; 4] = [DEAL_CREATED, DEAL_UPDATED, DEAL_WON, DEAL_LOST];

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
        CUSTOMER_DELETED,
        APPROVAL_REQUESTED,
        APPROVAL_REASSIGNED,
        DEAL_CREATED,
        DEAL_UPDATED,
        DEAL_WON,
        DEAL_LOST,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            match event.event.event_type {
                USER_DELETED => unit.events.extend(self.user_left(event).await?),
                CUSTOMER_DELETED => unit.events.extend(self.customer_left(event).await?),
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
            _ => (
                event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id),
                &[APPROVALS_CANCELLED, DEALS_CLOSED],
            ),
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
            self.gone.each(&self.approvals, APPROVALS_OF_USER, from, &context, hand_over).await?;
            let hand_over = || DealCommand::HandOver { from, to: successor };
            self.gone.each(&self.deals, DEALS_OF_OWNER, from, &context, hand_over).await?;
        }
        Ok([
            self.closing(event, &deletion, APPROVAL_REASSIGNED, APPROVALS_REASSIGNED).await?,
            self.closing(event, &deletion, DEAL_UPDATED, DEALS_REASSIGNED).await?,
        ])
    }

    async fn customer_left(&self, event: &LoggedEvent) -> Result<Vec<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(Vec::new()) };
        self.gone.note(&deletion).await?;
        let (id, context) = (deletion.id, caused(event, &deletion));
        let cancel = || ApprovalCommand::Cancel { comment: None };
        self.gone.each(&self.approvals, APPROVALS_OF_CUSTOMER, id, &context, cancel).await?;
        let close = || DealCommand::Close;
        self.gone.each(&self.deals, OPEN_DEALS_OF_CUSTOMER, id, &context, close).await?;
        Ok(vec![
            self.closing(event, &deletion, APPROVAL_CANCELLED, APPROVALS_CANCELLED).await?,
            self.closing(event, &deletion, DEAL_LOST, DEALS_CLOSED).await?,
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

    async fn move_late_deals(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut deals = Vec::new();
        for event in events.iter().filter(|event| DEAL_TYPES.contains(&event.event.event_type)) {
            deals.push((event, event.payload::<DealPayload>()?.deal));
        }
        let named = deals.iter().flat_map(|(_, deal)| [deal.customer_id, deal.owner_id]);
        let gone = self.gone.among(named.collect()).await?;
        for (event, deal) in deals {
            let (from, customer) = (deal.owner_id, gone.get(&deal.customer_id));
            if let Some(deletion) = customer.filter(|_| deal.stage.is_open()) {
                // Its loss is an event, too, which hands it over if its owner is deleted.
                send(&self.deals, deal.id, DealCommand::Close, &caused(event, deletion)).await?;
            } else if let Some(deletion) = gone.get(&from)
                && let Some(to) = self.gone.successor(deletion).await?
            {
                let hand_over = DealCommand::HandOver { from, to };
                send(&self.deals, deal.id, hand_over, &caused(event, deletion)).await?;
            }
        }
        Ok(())
    }
}
