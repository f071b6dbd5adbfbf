//! The consumer that creates notifications (SPEC §5, flows 2, 4 and 5).

use crate::domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::approval::record::ApprovalPayload;
use crate::domain::customer::record::CustomerPayload;
use crate::domain::events::{
    APPROVAL_APPROVED, APPROVAL_REASSIGNED, APPROVAL_REJECTED, APPROVAL_REQUESTED, CUSTOMER_CREATED,
    TASK_DUE_SOON, USER_CREATED, USER_DELETED, USER_UPDATED,
};
use crate::domain::notification::record::{Notification, NotificationData};
use crate::domain::notification::rules::NotificationEvent;
use crate::domain::notification::user_directory as people;
use crate::domain::notification::user_directory::{UserCopy, UserDirectory};
use crate::domain::task::record::TaskPayload;
use crate::persistence::analytics as queries;
use crate::persistence::analytics::{NOTIFICATIONS, PEOPLE};
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::event::{Event, LoggedEvent};
use kernel::ids::{Id, new_id};
use runtime::consumer::{Consumer, EffectError};
use store::Db;
use store::unit_of_work::{UnitOfWork, Write};

/// The kinds of notifications: each is the type of its event.
pub const KINDS: [EventType; 6] = [
    CUSTOMER_CREATED,
    APPROVAL_REQUESTED,
    APPROVAL_APPROVED,
    APPROVAL_REJECTED,
    APPROVAL_REASSIGNED,
    TASK_DUE_SOON,
];

/// The notification of an event, and its readers.
struct News {
    told: BTreeSet<Id>,
    subject_type: &'static str,
    subject_id: Id,
    customer_id: Option<Id>,
    data: NotificationData,
}

impl News {
    /// Makes the notification of an event of [`KINDS`].
    fn of(event: &LoggedEvent, people: &UserDirectory) -> Result<Self, EffectError> {
        match event.event.event_type {
            CUSTOMER_CREATED => of_customer(event, people),
            TASK_DUE_SOON => of_task(event, people),
            _ => of_approval(event, people),
        }
    }
}

/// A user's event may be in another partition and come a moment later: then this event is tried again.
fn known<T>(found: Option<T>, id: Id) -> Result<T, EffectError> {
    found.ok_or_else(|| EffectError::Event(format!("the user {id} is not known yet")))
}

fn of_customer(event: &LoggedEvent, people: &UserDirectory) -> Result<News, EffectError> {
    let CustomerPayload { customer, .. } = event.payload()?;
    let owner = customer.owner_id;
    Ok(News {
        told: known(people.for_new_customer(owner, event.event.actor_id), owner)?,
        subject_type: "customer",
        subject_id: customer.id,
        customer_id: Some(customer.id),
        data: NotificationData {
            customer_name: Some(customer.name),
            owner_id: Some(owner),
            ..NotificationData::default()
        },
    })
}

fn of_task(event: &LoggedEvent, people: &UserDirectory) -> Result<News, EffectError> {
    let TaskPayload { task, .. } = event.payload()?;
    Ok(News {
        told: known(people.one(task.assignee_id, None), task.assignee_id)?,
        subject_type: "task",
        subject_id: task.id,
        customer_id: task.customer_id,
        data: NotificationData {
            title: Some(task.title),
            due_at: Some(task.due_at),
            ..NotificationData::default()
        },
    })
}

fn of_approval(event: &LoggedEvent, people: &UserDirectory) -> Result<News, EffectError> {
    let ApprovalPayload { approval, changed, .. } = event.payload()?;
    let (requester, actor) = (approval.requester_id, event.event.actor_id);
    let told = match event.event.event_type {
        APPROVAL_REQUESTED => known(
            people.for_request(approval.approver_id, requester),
            approval.approver_id.unwrap_or(requester),
        )?,
        APPROVAL_REASSIGNED => match approval.approver_id {
            Some(new) if changed.iter().any(|field| field == "approver_id") => {
                known(people.one(new, actor), new)?
            }
            // The requester has changed, or every MANAGER may decide now.
            _ => BTreeSet::new(),
        },
        _ => known(people.one(requester, actor), requester)?,
    };
    let name = |id: Id| known(people.0.get(&id), id).map(|person: &UserCopy| person.name.clone());
    Ok(News {
        told,
        subject_type: "approval",
        subject_id: approval.id,
        customer_id: Some(approval.customer_id),
        data: NotificationData {
            title: Some(approval.title),
            amount: Some(approval.amount),
            currency: Some(approval.currency),
            requester_id: Some(requester),
            requester_name: Some(name(requester)?),
            decided_by: approval.decided_by,
            decided_by_name: approval.decided_by.map(name).transpose()?,
            comment: approval.comment,
            ..NotificationData::default()
        },
    })
}

/// The consumer that creates notifications.
pub struct NotificationsConsumer {
    pub clock: Clock,
}

impl Consumer for NotificationsConsumer {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Analytics.id());
    const NAME: &'static str = "analytics.notifications";
    const TYPES: &'static [EventType] = &[
        USER_CREATED,
        USER_UPDATED,
        USER_DELETED,
        CUSTOMER_CREATED,
        APPROVAL_REQUESTED,
        APPROVAL_APPROVED,
        APPROVAL_REJECTED,
        APPROVAL_REASSIGNED,
        TASK_DUE_SOON,
    ];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        let known = queries::people(db).await?;
        let mut people = UserDirectory(known.into_iter().map(|person| (person.id, person)).collect());
        let mut learned = HashSet::new();
        for event in events {
            if people::TYPES.contains(&event.event.event_type) {
                people.learn(event)?;
                learned.insert(event.event.subject);
            } else {
                self.tell(event, &people, &mut unit)?;
            }
        }
        unit.writes.extend(learned.iter().map(|id| Write::put(&PEOPLE, id, &people.0[id])));
        Ok(unit)
    }
}

impl NotificationsConsumer {
    fn tell(
        &self,
        event: &LoggedEvent,
        people: &UserDirectory,
        unit: &mut UnitOfWork,
    ) -> Result<(), EffectError> {
        let news = News::of(event, people)?;
        let (now, context) = (self.clock.now(), Context::caused_by(&event.event));
        for user_id in news.told {
            let id = new_id();
            let notification = Notification {
                id,
                version: 1,
                created_at: now,
                updated_at: now,
                user_id,
                kind: event.event.event_type.name().to_owned(),
                subject_type: news.subject_type.to_owned(),
                subject_id: news.subject_id,
                customer_id: news.customer_id,
                data: news.data.clone(),
                read_at: None,
                archived_at: None,
            };
            unit.writes.push(Write::put(&NOTIFICATIONS, id, &notification));
            unit.events.push(Event::new(&NotificationEvent::Created(notification), id, 1, now, &context));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_taken_from_the_log() {
        assert!(KINDS.iter().all(|kind| NotificationsConsumer::TYPES.contains(kind)));
        assert_eq!(NotificationsConsumer::TYPES.len(), KINDS.len() + people::TYPES.len());
    }
}
