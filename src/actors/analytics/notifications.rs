//! The consumer that creates notifications, and marks those as read that their reader needs no more (SPEC §5, flows 2,
//! 4 and 5).

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::dealt_with;
use crate::persistence::analytics as queries;
use crate::persistence::analytics::{NOTIFICATIONS, USER_COPIES};
use domain::approval::record::ApprovalPayload;
use domain::comment::mentions;
use domain::comment::record::CommentPayload;
use domain::customer::record::CustomerPayload;
use domain::deal::record::DealPayload;
use domain::events::{
    APPROVAL_APPROVED, APPROVAL_REASSIGNED, APPROVAL_REJECTED, APPROVAL_REQUESTED, COMMENT_CREATED,
    COMMENT_UPDATED, CUSTOMER_CREATED, DEAL_CREATED, DEAL_UPDATED, TASK_DUE_SOON, USER_CREATED, USER_DELETED,
    USER_UPDATED,
};
use domain::notification::kinds::NotificationKind;
use domain::notification::recipients::has_dealt_with;
use domain::notification::record::{Notification, NotificationData};
use domain::notification::rules;
use domain::notification::rules::{NotificationCommand, NotificationEvent};
use domain::notification::user_directory::{TYPES as USER_TYPES, UserCopy, UserDirectory};
use domain::task::record::TaskPayload;
use kernel::clock::{Clock, Timestamp};
use kernel::context::Context;
use kernel::event::{Event, LoggedEvent, StateAfter};
use kernel::ids::{Id, new_id};
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::Db;
use store::unit_of_work::{UnitOfWork, Write};

/// The notification of an event before it is written once per recipient.
struct NotificationDraft {
    recipients: BTreeSet<Id>,
    subject_type: &'static str,
    subject_id: Id,
    customer_id: Option<Id>,
    data: NotificationData,
}

impl NotificationDraft {
    /// Makes the notification of this kind of an event.
    fn of(kind: NotificationKind, event: &LoggedEvent, users: &UserDirectory) -> Result<Self, EffectError> {
        let draft = match kind {
            NotificationKind::CustomerCreated => of_customer(event, users),
            NotificationKind::TaskDueSoon => of_task(event, users),
            NotificationKind::CommentCreated => of_comment(event, users),
            NotificationKind::DealCreated => of_deal(event, users),
            NotificationKind::ApprovalRequested
            | NotificationKind::ApprovalApproved
            | NotificationKind::ApprovalRejected
            | NotificationKind::ApprovalReassigned => of_approval(event, users),
        };
        let mut draft = draft?;
        draft.recipients.retain(|id| users.wants(*id, kind));
        Ok(draft)
    }
}

/// Fails if the user is not known: the event that creates the user is in another partition and may come later. The
/// consumer then tries this event again.
fn known<T>(found: Option<T>, id: Id) -> Result<T, EffectError> {
    found.ok_or_else(|| EffectError::Event(format!("the user {id} is not known yet")))
}

fn of_customer(event: &LoggedEvent, users: &UserDirectory) -> Result<NotificationDraft, EffectError> {
    let CustomerPayload { customer, .. } = event.payload()?;
    let owner = customer.owner_id;
    Ok(NotificationDraft {
        recipients: known(users.for_new_customer(owner, event.event.actor_id), owner)?,
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

fn of_task(event: &LoggedEvent, users: &UserDirectory) -> Result<NotificationDraft, EffectError> {
    let TaskPayload { task, .. } = event.payload()?;
    Ok(NotificationDraft {
        recipients: known(users.one(task.assignee_id, None), task.assignee_id)?,
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

fn of_deal(event: &LoggedEvent, users: &UserDirectory) -> Result<NotificationDraft, EffectError> {
    let DealPayload { deal, previous_owner_id, .. } = event.payload()?;
    let is_new = event.event.event_type == DEAL_CREATED || previous_owner_id.is_some();
    let (actor, causation) = (event.event.actor_id, event.event.causation_id);
    Ok(NotificationDraft {
        recipients: known(users.for_new_owner(deal.owner_id, is_new, actor, causation), deal.owner_id)?,
        subject_type: "deal",
        subject_id: deal.id,
        customer_id: Some(deal.customer_id),
        data: NotificationData {
            title: Some(deal.title),
            amount: Some(deal.amount),
            currency: Some(deal.currency),
            owner_id: Some(deal.owner_id),
            ..NotificationData::default()
        },
    })
}

fn of_comment(event: &LoggedEvent, users: &UserDirectory) -> Result<NotificationDraft, EffectError> {
    let CommentPayload { comment, record, notify } = event.payload()?;
    let mut recipients = BTreeSet::new();
    for id in notify {
        recipients.extend(known(users.one(id, Some(comment.author_id)), id)?);
    }
    let name = |id: Id| users.0.get(&id).map(|user| user.name.clone());
    Ok(NotificationDraft {
        recipients,
        subject_type: record.r#type.as_str(),
        subject_id: record.id,
        customer_id: record.customer_id,
        data: NotificationData {
            title: Some(record.title),
            comment: Some(mentions::with_names(&comment.text, |id| {
                name(id).unwrap_or_else(|| "?".to_owned())
            })),
            comment_id: Some(comment.id),
            author_id: Some(comment.author_id),
            author_name: Some(known(name(comment.author_id), comment.author_id)?),
            ..NotificationData::default()
        },
    })
}

fn of_approval(event: &LoggedEvent, users: &UserDirectory) -> Result<NotificationDraft, EffectError> {
    let ApprovalPayload { approval, changed, .. } = event.payload()?;
    let (requester, actor) = (approval.requester_id, event.event.actor_id);
    let recipients = match event.event.event_type {
        APPROVAL_REQUESTED => known(
            users.for_request(approval.approver_id, requester),
            approval.approver_id.unwrap_or(requester),
        )?,
        APPROVAL_REASSIGNED => match approval.approver_id {
            Some(new) if changed.iter().any(|field| field == "approver_id") => {
                known(users.one(new, actor), new)?
            }
            // The requester has changed, or every MANAGER may decide now.
            _ => BTreeSet::new(),
        },
        _ => known(users.one(requester, actor), requester)?,
    };
    let name = |id: Id| known(users.0.get(&id), id).map(|user: &UserCopy| user.name.clone());
    Ok(NotificationDraft {
        recipients,
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
    pub notifications: Entities<NotificationAggregate>,
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
        COMMENT_CREATED,
        COMMENT_UPDATED,
        DEAL_CREATED,
        DEAL_UPDATED,
    ];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let known = queries::user_copies(db).await?;
        let mut users = UserDirectory(known.into_iter().map(|user| (user.id, user)).collect());
        let mut changed_users = HashSet::new();
        let mut created = Created { now: self.clock.now(), notifications: Vec::new(), events: Vec::new() };
        for event in events {
            if USER_TYPES.contains(&event.event.event_type) {
                users.apply(event)?;
                changed_users.insert(event.event.subject);
            } else {
                created.read_by(event)?;
                created.of(event, &users)?;
            }
        }
        dealt_with::read_stored(db, &self.notifications, events).await?;
        let mut unit = created.into_unit();
        unit.writes.extend(changed_users.iter().map(|id| Write::put(&USER_COPIES, id, &users.0[id])));
        Ok(unit)
    }
}

/// The notifications that a batch of events creates, and their events.
struct Created {
    now: Timestamp,
    notifications: Vec<Notification>,
    events: Vec<Event>,
}

impl Created {
    /// Creates the notifications of an event.
    fn of(&mut self, event: &LoggedEvent, users: &UserDirectory) -> Result<(), EffectError> {
        let Some(kind) = NotificationKind::of(event.event.event_type) else { return Ok(()) };
        let draft = NotificationDraft::of(kind, event, users)?;
        let (now, context) = (self.now, Context::caused_by(&event.event));
        for user_id in draft.recipients {
            let id = new_id();
            let notification = Notification {
                id,
                version: 1,
                created_at: now,
                updated_at: now,
                user_id,
                kind: kind.name().to_owned(),
                subject_type: draft.subject_type.to_owned(),
                subject_id: draft.subject_id,
                customer_id: draft.customer_id,
                data: draft.data.clone(),
                read_at: None,
                archived_at: None,
            };
            self.notifications.push(notification.clone());
            self.events.push(Event::new(&NotificationEvent::Created(notification), id, 1, now, &context));
        }
        Ok(())
    }

    /// Marks notifications of this batch as read if this event shows that their reader has dealt with their subject.
    /// They are not stored yet, so that no actor can do it.
    fn read_by(&mut self, event: &LoggedEvent) -> Result<(), EffectError> {
        let Some(user) = has_dealt_with(&event.event) else { return Ok(()) };
        let (now, context) = (self.now, Context::caused_by(&event.event));
        for notification in &mut self.notifications {
            if (notification.user_id, notification.subject_id) != (user, event.event.subject) {
                continue;
            }
            let read = rules::decide(Some(notification), NotificationCommand::Read, &context.caller, now)?;
            for read in read {
                *notification = read.after().clone();
                let Notification { id, version, .. } = *notification;
                self.events.push(Event::new(&read, id, version, now, &context));
            }
        }
        Ok(())
    }

    fn into_unit(self) -> UnitOfWork {
        let row = |notification: &Notification| Write::put(&NOTIFICATIONS, notification.id, notification);
        let writes = self.notifications.iter().map(row).collect();
        UnitOfWork { writes, events: self.events, ..UnitOfWork::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_taken_from_the_log() {
        let types = NotificationsConsumer::TYPES;
        assert!(NotificationKind::ALL.iter().all(|kind| types.contains(&kind.event_type())));
        // And `comment.updated` and `deal.updated`, which are no kinds of their own.
        assert_eq!(types.len(), NotificationKind::ALL.len() + USER_TYPES.len() + 2);
    }
}
