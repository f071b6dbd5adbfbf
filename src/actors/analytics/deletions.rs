//! When a customer is deleted, the notifications that concern it are archived (SPEC §5, flow 8), and when it is merged, they
//! concern the other customer; also those that come later. When it is back, so are they.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::deletions::{Deletions, Returned, Step, caused, saga_of};
use crate::actors::sagas::progress::give_up;
use crate::persistence::deletions::NOTIFICATIONS_OF_CUSTOMER;
use domain::customer::record::CustomerPayload;
use domain::events::{
    CUSTOMER_DELETED, CUSTOMER_MERGED, CUSTOMER_RESTORED, NOTIFICATION_CREATED, NOTIFICATION_MOVED,
    NOTIFICATION_RESTORED, NOTIFICATIONS_ARCHIVED, NOTIFICATIONS_MOVED, NOTIFICATIONS_RESTORED,
};
use domain::notification::record::NotificationPayload;
use domain::notification::rules::NotificationCommand;
use kernel::clock::Clock;
use kernel::event::{Event, LoggedEvent};
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// The types whose events have a notification that may have come late.
const LATE: [EventType; 3] = [NOTIFICATION_CREATED, NOTIFICATION_MOVED, NOTIFICATION_RESTORED];

/// The consumer that archives notifications of deleted customers.
pub struct AnalyticsDeletions {
    pub gone: Deletions,
    pub notifications: Entities<NotificationAggregate>,
    pub clock: Clock,
}

impl Consumer for AnalyticsDeletions {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Analytics.id());
    const NAME: &'static str = "analytics.departures";
    const TYPES: &'static [EventType] = &[
        CUSTOMER_DELETED,
        CUSTOMER_MERGED,
        CUSTOMER_RESTORED,
        NOTIFICATION_CREATED,
        NOTIFICATION_MOVED,
        NOTIFICATION_RESTORED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            match event.event.event_type {
                CUSTOMER_DELETED => unit.events.extend(self.customer_left(event).await?),
                CUSTOMER_MERGED => unit.events.extend(self.customer_merged(event).await?),
                CUSTOMER_RESTORED => unit.events.push(self.returned(&Returned::customer(event)?).await?),
                _ => {}
            }
        }
        self.archive_latecomers(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let Some(saga) = saga_of(event) else { return Ok(UnitOfWork::default()) };
        let step = match event.event.event_type {
            CUSTOMER_MERGED => NOTIFICATIONS_MOVED,
            CUSTOMER_RESTORED => NOTIFICATIONS_RESTORED,
            _ => NOTIFICATIONS_ARCHIVED,
        };
        give_up(db, saga, &[step], event, error, self.clock.now()).await
    }
}

impl AnalyticsDeletions {
    async fn customer_left(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(None) };
        self.gone.note(&deletion).await?;
        let (customer_id, context) = (deletion.id, caused(event, &deletion));
        let archive = || NotificationCommand::ArchiveWith { customer_id };
        self.gone.each(&self.notifications, NOTIFICATIONS_OF_CUSTOMER, &deletion, &context, archive).await?;
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: NOTIFICATIONS_ARCHIVED,
            closed_by: NOTIFICATIONS_ARCHIVED,
        };
        Ok(Some(self.gone.closing(step, self.clock.now()).await?))
    }

    async fn customer_merged(&self, event: &LoggedEvent) -> Result<Option<Event>, EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(None) };
        self.gone.note(&deletion).await?;
        if let Some(to) = deletion.successor_id {
            let (from, context) = (deletion.id, caused(event, &deletion));
            let go = || NotificationCommand::Move { from, to };
            self.gone.each(&self.notifications, NOTIFICATIONS_OF_CUSTOMER, &deletion, &context, go).await?;
        }
        let step = Step {
            cause: event,
            deletion: &deletion,
            single: NOTIFICATION_MOVED,
            closed_by: NOTIFICATIONS_MOVED,
        };
        Ok(Some(self.gone.closing(step, self.clock.now()).await?))
    }

    async fn returned(&self, returned: &Returned<'_>) -> Result<Event, EffectError> {
        self.gone.forget(returned.id, returned.undo.undoes).await?;
        let now = self.clock.now();
        self.gone.take_back(&self.notifications, returned, NOTIFICATIONS_RESTORED, now).await
    }

    async fn archive_latecomers(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut notifications = Vec::new();
        for event in events.iter().filter(|event| LATE.contains(&event.event.event_type)) {
            let NotificationPayload { notification } = event.payload()?;
            notifications.extend(notification.customer_id.map(|customer| (event, notification.id, customer)));
        }
        let gone = self.gone.among(notifications.iter().map(|(.., customer)| *customer).collect()).await?;
        for (event, id, customer) in notifications {
            let Some(deletion) = gone.get(&customer) else { continue };
            let late = match self.gone.successor(deletion).await? {
                Some(to) => NotificationCommand::Move { from: customer, to },
                None => NotificationCommand::ArchiveWith { customer_id: customer },
            };
            let saga = (deletion.saga_id, &caused(event, deletion));
            self.gone.send(&self.notifications, id, late, saga).await?;
        }
        Ok(())
    }
}
