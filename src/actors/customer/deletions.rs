//! When a user is deleted, the user's customers go to the successor (SPEC §5, flow 7), also those that come later.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::deletions::{Deletions, Step, caused, send};
use crate::actors::sagas::progress::give_up;
use crate::persistence::deletions::CUSTOMERS_OF_OWNER;
use domain::customer::record::CustomerPayload;
use domain::customer::rules::CustomerCommand;
use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMERS_REASSIGNED, USER_DELETED};
use domain::user::record::UserDeletedPayload;
use kernel::clock::Clock;
use kernel::event::{Event, LoggedEvent};
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// The consumer that hands over the customers of deleted users.
pub struct CustomerDeletions {
    pub gone: Deletions,
    pub customers: Entities<CustomerAggregate>,
    pub clock: Clock,
}

impl Consumer for CustomerDeletions {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Customer.id());
    const NAME: &'static str = "customer.departures";
    const TYPES: &'static [EventType] = &[USER_DELETED, CUSTOMER_CREATED, CUSTOMER_UPDATED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events.iter().filter(|event| event.event.event_type == USER_DELETED) {
            unit.events.push(self.user_left(event).await?);
        }
        self.move_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let Ok(left) = event.payload::<UserDeletedPayload>() else { return Ok(UnitOfWork::default()) };
        give_up(db, left.saga_id, &[CUSTOMERS_REASSIGNED], event, error, self.clock.now()).await
    }
}

impl CustomerDeletions {
    async fn user_left(&self, event: &LoggedEvent) -> Result<Event, EffectError> {
        let deletion = event.payload::<UserDeletedPayload>()?.deletion();
        self.gone.note(&deletion).await?;
        let (from, context) = (deletion.id, caused(event, &deletion));
        if let Some(to) = self.gone.successor(&deletion).await? {
            let hand_over = || CustomerCommand::HandOver { from, to };
            self.gone.each(&self.customers, CUSTOMERS_OF_OWNER, from, &context, hand_over).await?;
        }
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: CUSTOMER_UPDATED,
            closed_by: CUSTOMERS_REASSIGNED,
        };
        self.gone.closing(step, self.clock.now()).await
    }

    /// Hands over customers that came to an owner who was deleted already.
    async fn move_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut owned = Vec::new();
        for event in events.iter().filter(|event| event.event.event_type != USER_DELETED) {
            let CustomerPayload { customer, .. } = event.payload()?;
            owned.push((event, customer.id, customer.owner_id));
        }
        let gone = self.gone.among(owned.iter().map(|(_, _, owner)| *owner).collect()).await?;
        for (event, customer, from) in owned {
            let Some(deletion) = gone.get(&from) else { continue };
            if let Some(to) = self.gone.successor(deletion).await? {
                let hand_over = CustomerCommand::HandOver { from, to };
                send(&self.customers, customer, hand_over, &caused(event, deletion)).await?;
            }
        }
        Ok(())
    }
}
