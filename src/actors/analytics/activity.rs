//! The timeline of a customer: which events concern which customer, and who may see them.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::persistence::analytics::activity_write;
use domain::approval::record::ApprovalPayload;
use domain::attachment::record::AttachmentPayload;
use domain::audience::Audience;
use domain::comment::record::CommentPayload;
use domain::deal::record::DealPayload;
use domain::events::{
    APPROVAL_APPROVED, APPROVAL_CANCELLED, APPROVAL_MOVED, APPROVAL_REASSIGNED, APPROVAL_REJECTED,
    APPROVAL_REQUESTED, APPROVAL_RESTORED, ATTACHMENT_ADDED, ATTACHMENT_REMOVED, COMMENT_CREATED,
    COMMENT_DELETED, COMMENT_UPDATED, CUSTOMER_CREATED, CUSTOMER_DELETED, CUSTOMER_MERGED, CUSTOMER_RESTORED,
    CUSTOMER_UPDATED, DEAL_CREATED, DEAL_DELETED, DEAL_LOST, DEAL_RESTORED, DEAL_UPDATED, DEAL_WON,
    MEETING_CREATED, MEETING_DELETED, MEETING_RESTORED, MEETING_UPDATED, TASK_COMPLETED, TASK_CREATED,
    TASK_DELETED, TASK_DUE_SOON, TASK_RESTORED, TASK_UPDATED,
};
use domain::meeting::record::MeetingPayload;
use domain::task::record::TaskPayload;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use store::Db;
use store::unit_of_work::UnitOfWork;

/// The customer that an event concerns: the new one, if the event changed it; a task may have none.
fn customer_of(event: &LoggedEvent) -> Result<Option<Id>, EffectError> {
    Ok(match event.event.event_type {
        CUSTOMER_CREATED | CUSTOMER_UPDATED | CUSTOMER_DELETED | CUSTOMER_MERGED | CUSTOMER_RESTORED => {
            Some(event.event.subject)
        }
        MEETING_CREATED | MEETING_UPDATED | MEETING_DELETED | MEETING_RESTORED => {
            Some(event.payload::<MeetingPayload>()?.meeting.customer_id)
        }
        TASK_CREATED | TASK_UPDATED | TASK_COMPLETED | TASK_DELETED | TASK_RESTORED | TASK_DUE_SOON => {
            event.payload::<TaskPayload>()?.task.customer_id
        }
        APPROVAL_REQUESTED | APPROVAL_APPROVED | APPROVAL_REJECTED | APPROVAL_CANCELLED
        | APPROVAL_REASSIGNED | APPROVAL_MOVED | APPROVAL_RESTORED => {
            Some(event.payload::<ApprovalPayload>()?.approval.customer_id)
        }
        DEAL_CREATED | DEAL_UPDATED | DEAL_WON | DEAL_LOST | DEAL_DELETED | DEAL_RESTORED => {
            Some(event.payload::<DealPayload>()?.deal.customer_id)
        }
        ATTACHMENT_ADDED | ATTACHMENT_REMOVED => event.payload::<AttachmentPayload>()?.record.customer_id,
        COMMENT_CREATED | COMMENT_UPDATED | COMMENT_DELETED => {
            event.payload::<CommentPayload>()?.record.customer_id
        }
        _ => None,
    })
}

/// The SALES users who may see an event: the rule of the live feed (SPEC §1).
fn owners_of(event: &LoggedEvent) -> Result<Vec<Id>, EffectError> {
    match Audience::of(event) {
        Some(Audience::Managers { and }) => Ok(and),
        _ => Err(EffectError::Event("the event names no owner of its record".to_owned())),
    }
}

/// The consumer that stores which customer each event concerns, and who may see it.
pub struct ActivityConsumer;

impl Consumer for ActivityConsumer {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Analytics.id());
    const NAME: &'static str = "analytics.activity";
    const TYPES: &'static [EventType] = &[
        CUSTOMER_CREATED,
        CUSTOMER_UPDATED,
        CUSTOMER_DELETED,
        CUSTOMER_MERGED,
        CUSTOMER_RESTORED,
        MEETING_CREATED,
        MEETING_UPDATED,
        MEETING_DELETED,
        MEETING_RESTORED,
        TASK_CREATED,
        TASK_UPDATED,
        TASK_COMPLETED,
        TASK_DELETED,
        TASK_RESTORED,
        TASK_DUE_SOON,
        APPROVAL_REQUESTED,
        APPROVAL_APPROVED,
        APPROVAL_REJECTED,
        APPROVAL_CANCELLED,
        APPROVAL_REASSIGNED,
        APPROVAL_MOVED,
        APPROVAL_RESTORED,
        DEAL_CREATED,
        DEAL_UPDATED,
        DEAL_WON,
        DEAL_LOST,
        DEAL_DELETED,
        DEAL_RESTORED,
        COMMENT_CREATED,
        COMMENT_UPDATED,
        COMMENT_DELETED,
        ATTACHMENT_ADDED,
        ATTACHMENT_REMOVED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            if let Some(customer) = customer_of(event)? {
                unit.writes.push(activity_write(event.event.id, customer, &owners_of(event)?));
            }
        }
        Ok(unit)
    }
}
