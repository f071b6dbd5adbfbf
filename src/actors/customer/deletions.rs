//! When a user is deleted, the user's customers go to the successor (SPEC §5, flow 7), also those that come later. When the user
//! is back, so are the customers; when a merged customer is back, the one into which it had gone is what it was.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::deletions::{Deletions, Returned, Step, caused, saga_of};
use crate::actors::sagas::progress::give_up;
use crate::actors::undo::Undo;
use crate::persistence::deletions::CUSTOMERS_OF_OWNER;
use domain::customer::record::CustomerPayload;
use domain::customer::rules::CustomerCommand;
use domain::events::{
    CUSTOMER_CREATED, CUSTOMER_MERGED, CUSTOMER_RESTORED, CUSTOMER_UPDATED, CUSTOMERS_REASSIGNED,
    CUSTOMERS_RESTORED, USER_DELETED, USER_RESTORED,
};
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
    const TYPES: &'static [EventType] = &[
        USER_DELETED,
        USER_RESTORED,
        CUSTOMER_CREATED,
        CUSTOMER_UPDATED,
        CUSTOMER_MERGED,
        CUSTOMER_RESTORED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            match event.event.event_type {
                USER_DELETED => unit.events.push(self.user_left(event).await?),
                USER_RESTORED => unit.events.push(self.returned(&Returned::user(event)?).await?),
                CUSTOMER_RESTORED => unit.events.push(self.returned(&Returned::customer(event)?).await?),
                CUSTOMER_MERGED => self.merged_again(event).await?,
                _ => {}
            }
        }
        self.move_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let (saga, step) = match event.event.event_type {
            USER_DELETED => {
                let left = event.payload::<UserDeletedPayload>().ok();
                (left.map(|left| left.saga_id), CUSTOMERS_REASSIGNED)
            }
            USER_RESTORED => {
                let returned = Returned::user(event).ok();
                (returned.map(|returned| returned.undo.saga_id), CUSTOMERS_RESTORED)
            }
            CUSTOMER_RESTORED => (saga_of(event), CUSTOMERS_RESTORED),
            _ => (None, CUSTOMERS_RESTORED),
        };
        let Some(saga) = saga else { return Ok(UnitOfWork::default()) };
        give_up(db, saga, &[step], event, error, self.clock.now()).await
    }
}

impl CustomerDeletions {
    async fn user_left(&self, event: &LoggedEvent) -> Result<Event, EffectError> {
        let deletion = event.payload::<UserDeletedPayload>()?.deletion();
        self.gone.note(&deletion).await?;
        let (from, context) = (deletion.id, caused(event, &deletion));
        if let Some(to) = self.gone.successor(&deletion).await? {
            let hand_over = || CustomerCommand::HandOver { from, to };
            self.gone.each(&self.customers, CUSTOMERS_OF_OWNER, &deletion, &context, hand_over).await?;
        }
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: CUSTOMER_UPDATED,
            closed_by: CUSTOMERS_REASSIGNED,
        };
        self.gone.closing(step, self.clock.now()).await
    }

    async fn returned(&self, returned: &Returned<'_>) -> Result<Event, EffectError> {
        self.gone.forget(returned.id, returned.undo.undoes).await?;
        self.gone.take_back(&self.customers, returned, CUSTOMERS_RESTORED, self.clock.now()).await
    }

    /// When the undo of a merge is undone, the other customer becomes what it was before that undo.
    async fn merged_again(&self, event: &LoggedEvent) -> Result<(), EffectError> {
        let CustomerPayload { saga_id: Some(saga_id), undoes: Some(undoes), .. } = event.payload()? else {
            return Ok(());
        };
        let undo = Undo { saga_id, undoes };
        let returned = Returned { event, id: event.event.subject, undo };
        self.gone.take_back(&self.customers, &returned, CUSTOMERS_RESTORED, self.clock.now()).await.map(drop)
    }

    /// Hands over customers that came to an owner who was deleted already.
    async fn move_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut owned = Vec::new();
        let late = [CUSTOMER_CREATED, CUSTOMER_UPDATED, CUSTOMER_RESTORED];
        for event in events.iter().filter(|event| late.contains(&event.event.event_type)) {
            let CustomerPayload { customer, .. } = event.payload()?;
            owned.push((event, customer.id, customer.owner_id));
        }
        let gone = self.gone.among(owned.iter().map(|(_, _, owner)| *owner).collect()).await?;
        for (event, customer, from) in owned {
            let Some(deletion) = gone.get(&from) else { continue };
            if let Some(to) = self.gone.successor(deletion).await? {
                let hand_over = CustomerCommand::HandOver { from, to };
                let saga = (deletion.saga_id, &caused(event, deletion));
                self.gone.send(&self.customers, customer, hand_over, saga).await?;
            }
        }
        Ok(())
    }
}
