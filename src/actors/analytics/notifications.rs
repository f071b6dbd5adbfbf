//! Notifications: kept as a kind and its parameters, rendered in the reader's language by the gateway.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::recipients::{People, Person};
use crate::actors::auth::events::UserPayload;
use crate::actors::catalogue::{CUSTOMER_CREATED, NOTIFICATION_CREATED, USER_CREATED, USER_UPDATED};
use crate::actors::context::Context;
use crate::actors::customer::events::CustomerPayload;
use crate::actors::event::{DomainEvent, Event, LoggedEvent, raw};
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::clock::{Clock, Timestamp};
use crate::ids::{Id, new_id};
use crate::persistence::Db;
use crate::persistence::analytics::{NOTIFICATIONS, PEOPLE, people};
use crate::persistence::unit::{Unit, Write};

/// A notification as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Whose it is.
    pub user_id: Id,
    /// The event's type; its text stands in `locales/` under this name.
    pub kind: String,
    pub subject_type: String,
    pub subject_id: Id,
    /// The customer it has to do with: its deletion archives the notification.
    pub customer_id: Option<Id>,
    pub data: NotificationData,
    pub read_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

/// What the text of a notification names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationData {
    pub customer_name: String,
    pub owner_id: Id,
}

/// `notification.created`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NotificationPayload {
    pub notification: Notification,
}

impl DomainEvent for NotificationPayload {
    fn event_type(&self) -> &'static str {
        NOTIFICATION_CREATED
    }

    fn data(&self) -> Box<RawValue> {
        raw(self)
    }

    // One reader's notifications have one order, so that a live feed and its resumption agree.
    fn partition(&self, _: Id) -> Id {
        self.notification.user_id
    }
}

/// Tells people of what happened.
pub struct NotificationsConsumer {
    pub clock: Clock,
}

impl Consumer for NotificationsConsumer {
    const NAME: &'static str = "analytics.notifications";
    const TYPES: &'static [&'static str] = &[USER_CREATED, USER_UPDATED, CUSTOMER_CREATED];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let mut unit = Unit::default();
        let mut people = People(people(db).await?.into_iter().map(|person| (person.id, person)).collect());
        for event in events {
            match event.event.event_type {
                CUSTOMER_CREATED => self.tell(event, &people, &mut unit)?,
                _ => learn(event, &mut people)?,
            }
        }
        let learned = events.iter().filter(|event| event.event.event_type != CUSTOMER_CREATED);
        let mut learned: Vec<Id> = learned.map(|event| event.event.subject).collect();
        learned.sort_unstable();
        learned.dedup();
        unit.writes.extend(learned.iter().map(|id| Write::put(&PEOPLE, id, &people.0[id])));
        Ok(unit)
    }
}

fn learn(event: &LoggedEvent, people: &mut People) -> Result<(), EffectError> {
    let UserPayload { user, .. } = event.payload()?;
    let known = Person {
        id: user.id,
        version: user.version,
        role: user.role,
        manager_id: user.manager_id,
        deleted_at: None,
    };
    people.0.insert(user.id, known);
    Ok(())
}

impl NotificationsConsumer {
    fn tell(&self, event: &LoggedEvent, people: &People, unit: &mut Unit) -> Result<(), EffectError> {
        let CustomerPayload { customer, .. } = event.payload()?;
        // The owner's own event is in another slice and may come a moment later: this one is tried again then.
        let told = people
            .for_new_customer(customer.owner_id, event.event.actor_id)
            .ok_or_else(|| EffectError::Event(format!("the owner {} is not known yet", customer.owner_id)))?;
        let (now, context) = (self.clock.now(), Context::caused_by(&event.event));
        for user_id in told {
            let notification = Notification {
                id: new_id(),
                version: 1,
                created_at: now,
                updated_at: now,
                user_id,
                kind: event.event.event_type.to_owned(),
                subject_type: "customer".to_owned(),
                subject_id: customer.id,
                customer_id: Some(customer.id),
                data: NotificationData { customer_name: customer.name.clone(), owner_id: customer.owner_id },
                read_at: None,
                archived_at: None,
            };
            unit.writes.push(Write::put(&NOTIFICATIONS, notification.id, &notification));
            let id = notification.id;
            unit.events.push(Event::new(&NotificationPayload { notification }, id, 1, now, &context));
        }
        Ok(())
    }
}
