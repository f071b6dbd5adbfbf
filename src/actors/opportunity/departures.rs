//! When a user is gone, their pending approvals go to the heirs; when a customer is, its pending approvals are
//! cancelled (SPEC §5, flows 7 and 8). So are those that come late.

use std::sync::Arc;

use super::aggregate::ApprovalAggregate;
use super::domain::ApprovalCommand;
use super::events::ApprovalPayload;
use crate::actors::auth::events::UserDeletedPayload;
use crate::actors::catalogue::{
    APPROVAL_CANCELLED, APPROVAL_REASSIGNED, APPROVAL_REQUESTED, APPROVALS_CANCELLED, APPROVALS_REASSIGNED,
    CUSTOMER_DELETED, USER_DELETED,
};
use crate::actors::customer::events::CustomerPayload;
use crate::actors::departures::{Departures, Step, caused, send};
use crate::actors::event::{Event, LoggedEvent};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::actors::sagas::progress::give_up;
use crate::clock::Clock;
use crate::ids::Id;
use crate::persistence::departures::{APPROVALS_OF_CUSTOMER, APPROVALS_OF_USER, Departure};
use crate::persistence::unit::Unit;
use crate::persistence::{Db, StoreError};

/// Hands over and cancels.
pub struct OpportunityDepartures {
    pub gone: Departures,
    pub approvals: Entities<ApprovalAggregate>,
    pub clock: Clock,
}

impl Consumer for OpportunityDepartures {
    const NAME: &'static str = "opportunity.departures";
    const TYPES: &'static [&'static str] =
        &[USER_DELETED, CUSTOMER_DELETED, APPROVAL_REQUESTED, APPROVAL_REASSIGNED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let mut unit = Unit::default();
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

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<Unit, StoreError> {
        let (saga, step) = match event.event.event_type {
            USER_DELETED => {
                (event.payload::<UserDeletedPayload>().ok().map(|left| left.saga_id), APPROVALS_REASSIGNED)
            }
            _ => (event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id), APPROVALS_CANCELLED),
        };
        let Some(saga) = saga else { return Ok(Unit::default()) };
        give_up(db, saga, &[step], event, error, self.clock.now()).await
    }
}

impl OpportunityDepartures {
    async fn user_left(&self, event: &LoggedEvent) -> Result<Event, EffectError> {
        let departure = event.payload::<UserDeletedPayload>()?.departure();
        self.gone.note(&departure).await?;
        if let Some((successor, approver)) = self.heirs(&departure).await? {
            let from = departure.id;
            let inherit = || ApprovalCommand::Inherit { from, successor, approver };
            let context = caused(event, &departure);
            self.gone.each(&self.approvals, APPROVALS_OF_USER, from, &context, inherit).await?;
        }
        let step = Step {
            cause: event,
            departure: &departure,
            single: APPROVAL_REASSIGNED,
            closed_by: APPROVALS_REASSIGNED,
        };
        self.gone.closing(step, self.clock.now()).await
    }

    async fn customer_left(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some(departure) = event.payload::<CustomerPayload>()?.departure() else { return Ok(None) };
        self.gone.note(&departure).await?;
        let (id, context) = (departure.id, caused(event, &departure));
        let cancel = || ApprovalCommand::Cancel { comment: None };
        self.gone.each(&self.approvals, APPROVALS_OF_CUSTOMER, id, &context, cancel).await?;
        let step = Step {
            cause: event,
            departure: &departure,
            single: APPROVAL_CANCELLED,
            closed_by: APPROVALS_CANCELLED,
        };
        Ok(Some(self.gone.closing(step, self.clock.now()).await?))
    }

    /// Who has a user's place now: as requester, and as approver.
    async fn heirs(&self, departure: &Departure) -> Result<Option<(Id, Option<Id>)>, EffectError> {
        let Some(successor) = self.gone.heir(departure).await? else { return Ok(None) };
        let approver = self.gone.approver(departure).await?;
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
            if let Some(departure) = gone.get(&approval.customer_id) {
                let cancel = ApprovalCommand::Cancel { comment: None };
                send(&self.approvals, approval.id, cancel, &caused(event, departure)).await?;
                continue;
            }
            for from in [Some(approval.requester_id), approval.approver_id].into_iter().flatten() {
                let Some(departure) = gone.get(&from) else { continue };
                if let Some((successor, approver)) = self.heirs(departure).await? {
                    let inherit = ApprovalCommand::Inherit { from, successor, approver };
                    send(&self.approvals, approval.id, inherit, &caused(event, departure)).await?;
                }
            }
        }
        Ok(())
    }
}
