//! When a user is gone, their customers are the successor's (SPEC §5, flow 7); also those that come late.

use std::sync::Arc;

use super::aggregate::CustomerAggregate;
use super::domain::CustomerCommand;
use super::events::CustomerPayload;
use crate::actors::auth::events::UserDeletedPayload;
use crate::actors::catalogue::{CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMERS_REASSIGNED, USER_DELETED};
use crate::actors::departures::{Departures, Step, caused, send};
use crate::actors::event::{Event, LoggedEvent};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::actors::sagas::progress::give_up;
use crate::clock::Clock;
use crate::persistence::departures::CUSTOMERS_OF_OWNER;
use crate::persistence::unit::Unit;
use crate::persistence::{Db, StoreError};

/// Hands over.
pub struct CustomerDepartures {
    pub gone: Departures,
    pub customers: Entities<CustomerAggregate>,
    pub clock: Clock,
}

impl Consumer for CustomerDepartures {
    const NAME: &'static str = "customer.departures";
    const TYPES: &'static [&'static str] = &[USER_DELETED, CUSTOMER_CREATED, CUSTOMER_UPDATED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let mut unit = Unit::default();
        for event in events.iter().filter(|event| event.event.event_type == USER_DELETED) {
            unit.events.push(self.user_left(event).await?);
        }
        self.move_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<Unit, StoreError> {
        let Ok(left) = event.payload::<UserDeletedPayload>() else { return Ok(Unit::default()) };
        give_up(db, left.saga_id, &[CUSTOMERS_REASSIGNED], event, error, self.clock.now()).await
    }
}

impl CustomerDepartures {
    async fn user_left(&self, event: &LoggedEvent) -> Result<Event, EffectError> {
        let departure = event.payload::<UserDeletedPayload>()?.departure();
        self.gone.note(&departure).await?;
        let (from, context) = (departure.id, caused(event, &departure));
        if let Some(to) = self.gone.heir(&departure).await? {
            let inherit = || CustomerCommand::Inherit { from, to };
            self.gone.each(&self.customers, CUSTOMERS_OF_OWNER, from, &context, inherit).await?;
        }
        let step = Step {
            cause: event,
            departure: &departure,
            single: CUSTOMER_UPDATED,
            closed_by: CUSTOMERS_REASSIGNED,
        };
        self.gone.closing(step, self.clock.now()).await
    }

    /// Customers whose owner was gone before they came to them.
    async fn move_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut owned = Vec::new();
        for event in events.iter().filter(|event| event.event.event_type != USER_DELETED) {
            let CustomerPayload { customer, .. } = event.payload()?;
            owned.push((event, customer.id, customer.owner_id));
        }
        let gone = self.gone.among(owned.iter().map(|(_, _, owner)| *owner).collect()).await?;
        for (event, customer, from) in owned {
            let Some(departure) = gone.get(&from) else { continue };
            if let Some(to) = self.gone.heir(departure).await? {
                let inherit = CustomerCommand::Inherit { from, to };
                send(&self.customers, customer, inherit, &caused(event, departure)).await?;
            }
        }
        Ok(())
    }
}
