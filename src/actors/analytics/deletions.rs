//! When a customer is deleted, the notifications that concern it are archived (SPEC §5, flow 8), also those that come
//! later.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::deletions::{Deletions, Step, caused, send};
use crate::actors::sagas::progress::give_up;
use crate::persistence::deletions::NOTIFICATIONS_OF_CUSTOMER;
use domain::customer::record::CustomerPayload;
use domain::events::{CUSTOMER_DELETED, NOTIFICATION_CREATED, NOTIFICATIONS_ARCHIVED};
use domain::notification::record::NotificationPayload;
use domain::notification::rules::NotificationCommand;
use kernel::clock::Clock;
use kernel::event::{Event, LoggedEvent};
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// The consumer that archives notifications of deleted customers.
pub struct AnalyticsDeletions {
    pub gone: Deletions,
    pub notifications: Entities<NotificationAggregate>,
    pub clock: Clock,
}

impl Consumer for AnalyticsDeletions {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Analytics.id());
    const NAME: &'static str = "analytics.departures";
    const TYPES: &'static [EventType] = &[CUSTOMER_DELETED, NOTIFICATION_CREATED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events.iter().filter(|event| event.event.event_type == CUSTOMER_DELETED) {
            unit.events.extend(self.customer_left(event).await?);
        }
        self.archive_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let saga = event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id);
        let Some(saga) = saga else { return Ok(UnitOfWork::default()) };
        give_up(db, saga, &[NOTIFICATIONS_ARCHIVED], event, error, self.clock.now()).await
    }
}

impl AnalyticsDeletions {
    async fn customer_left(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(None) };
        self.gone.note(&deletion).await?;
        let (id, context) = (deletion.id, caused(event, &deletion));
        let archive = || NotificationCommand::Archive;
        self.gone.each(&self.notifications, NOTIFICATIONS_OF_CUSTOMER, id, &context, archive).await?;
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: NOTIFICATIONS_ARCHIVED,
            closed_by: NOTIFICATIONS_ARCHIVED,
        };
        Ok(Some(self.gone.closing(step, self.clock.now()).await?))
    }

    async fn archive_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut notifications = Vec::new();
        for event in events.iter().filter(|event| event.event.event_type == NOTIFICATION_CREATED) {
            let NotificationPayload { notification } = event.payload()?;
            notifications.extend(notification.customer_id.map(|customer| (event, notification.id, customer)));
        }
        let gone = self.gone.among(notifications.iter().map(|(.., customer)| *customer).collect()).await?;
        for (event, id, customer) in notifications {
            let Some(deletion) = gone.get(&customer) else { continue };
            let context = caused(event, deletion);
            send(&self.notifications, id, NotificationCommand::Archive, &context).await?;
        }
        Ok(())
    }
}
