//! When a customer is gone, the notifications that have to do with it are archived (SPEC §5, flow 8). So are those that
//! come late.

use std::sync::Arc;

use super::aggregate::NotificationAggregate;
use super::domain::NotificationCommand;
use super::events::NotificationPayload;
use crate::actors::catalogue::{CUSTOMER_DELETED, NOTIFICATION_CREATED, NOTIFICATIONS_ARCHIVED};
use crate::actors::customer::events::CustomerPayload;
use crate::actors::departures::{Departures, Step, caused, send};
use crate::actors::event::{Event, LoggedEvent};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::actors::sagas::progress::give_up;
use crate::clock::Clock;
use crate::persistence::departures::NOTIFICATIONS_OF_CUSTOMER;
use crate::persistence::unit::Unit;
use crate::persistence::{Db, StoreError};

/// Archives.
pub struct AnalyticsDepartures {
    pub gone: Departures,
    pub notifications: Entities<NotificationAggregate>,
    pub clock: Clock,
}

impl Consumer for AnalyticsDepartures {
    const NAME: &'static str = "analytics.departures";
    const TYPES: &'static [&'static str] = &[CUSTOMER_DELETED, NOTIFICATION_CREATED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let mut unit = Unit::default();
        for event in events.iter().filter(|event| event.event.event_type == CUSTOMER_DELETED) {
            unit.events.extend(self.customer_left(event).await?);
        }
        self.archive_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<Unit, StoreError> {
        let saga = event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id);
        let Some(saga) = saga else { return Ok(Unit::default()) };
        give_up(db, saga, &[NOTIFICATIONS_ARCHIVED], event, error, self.clock.now()).await
    }
}

impl AnalyticsDepartures {
    async fn customer_left(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some(departure) = event.payload::<CustomerPayload>()?.departure() else { return Ok(None) };
        self.gone.note(&departure).await?;
        let (id, context) = (departure.id, caused(event, &departure));
        let archive = || NotificationCommand::Archive;
        self.gone.each(&self.notifications, NOTIFICATIONS_OF_CUSTOMER, id, &context, archive).await?;
        let step = Step {
            cause: event,
            departure: &departure,
            single: NOTIFICATIONS_ARCHIVED,
            closed_by: NOTIFICATIONS_ARCHIVED,
        };
        Ok(Some(self.gone.closing(step, self.clock.now()).await?))
    }

    async fn archive_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut told = Vec::new();
        for event in events.iter().filter(|event| event.event.event_type == NOTIFICATION_CREATED) {
            let NotificationPayload { notification } = event.payload()?;
            told.extend(notification.customer_id.map(|customer| (event, notification.id, customer)));
        }
        let gone = self.gone.among(told.iter().map(|(.., customer)| *customer).collect()).await?;
        for (event, id, customer) in told {
            let Some(departure) = gone.get(&customer) else { continue };
            let context = caused(event, departure);
            send(&self.notifications, id, NotificationCommand::Archive, &context).await?;
        }
        Ok(())
    }
}
