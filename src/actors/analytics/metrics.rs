//! Metrics: counts per quarter of an hour and user, made from events by pure functions. The days of any time zone are
//! made of them.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::persistence::analytics::{metric_write, quarter};
use domain::approval::record::ApprovalPayload;
use domain::customer::record::CustomerPayload;
use domain::deal::record::DealPayload;
use domain::events::{
    APPROVAL_APPROVED, APPROVAL_REJECTED, APPROVAL_REQUESTED, CUSTOMER_CREATED, CUSTOMER_DELETED,
    CUSTOMER_MERGED, DEAL_CREATED, DEAL_LOST, DEAL_WON, MEETING_CREATED, TASK_COMPLETED, USER_LOGIN,
};
use domain::meeting::record::MeetingPayload;
use domain::session::record::LoginPayload;
use domain::task::record::TaskPayload;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use store::Db;
use store::unit_of_work::UnitOfWork;

/// The figure and the user to which an event adds.
fn counted(event: &LoggedEvent) -> Result<Option<(&'static str, Id)>, EffectError> {
    let requester = || event.payload::<ApprovalPayload>().map(|payload| payload.approval.requester_id);
    let deal_owner = || event.payload::<DealPayload>().map(|payload| payload.deal.owner_id);
    Ok(match event.event.event_type {
        USER_LOGIN => Some(("logins", event.payload::<LoginPayload>()?.user_id)),
        CUSTOMER_CREATED => {
            Some(("customers_created", event.payload::<CustomerPayload>()?.customer.owner_id))
        }
        CUSTOMER_DELETED | CUSTOMER_MERGED => {
            Some(("customers_deleted", event.payload::<CustomerPayload>()?.customer.owner_id))
        }
        MEETING_CREATED => Some(("meetings_created", event.payload::<MeetingPayload>()?.meeting.owner_id)),
        TASK_COMPLETED => Some(("tasks_completed", event.payload::<TaskPayload>()?.task.assignee_id)),
        APPROVAL_REQUESTED => Some(("approvals_requested", requester()?)),
        APPROVAL_APPROVED => Some(("approvals_approved", requester()?)),
        APPROVAL_REJECTED => Some(("approvals_rejected", requester()?)),
        DEAL_CREATED => Some(("deals_created", deal_owner()?)),
        DEAL_WON => Some(("deals_won", deal_owner()?)),
        DEAL_LOST => Some(("deals_lost", deal_owner()?)),
        _ => None,
    })
}

/// What the events add to the figures of each quarter of an hour.
fn fold(events: &[Arc<LoggedEvent>]) -> Result<BTreeMap<(i64, Id, &'static str), i64>, EffectError> {
    let mut sums = BTreeMap::new();
    for event in events {
        if let Some((metric, user)) = counted(event)? {
            *sums.entry((quarter(event.event.time), user, metric)).or_default() += 1;
        }
    }
    Ok(sums)
}

/// The consumer that counts.
pub struct MetricsConsumer;

impl Consumer for MetricsConsumer {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Analytics.id());
    const NAME: &'static str = "analytics.metrics";
    const TYPES: &'static [EventType] = &[
        USER_LOGIN,
        CUSTOMER_CREATED,
        CUSTOMER_DELETED,
        CUSTOMER_MERGED,
        MEETING_CREATED,
        TASK_COMPLETED,
        APPROVAL_REQUESTED,
        APPROVAL_APPROVED,
        APPROVAL_REJECTED,
        DEAL_CREATED,
        DEAL_WON,
        DEAL_LOST,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let sums = fold(events)?;
        let writes = sums
            .into_iter()
            .map(|((quarter, user, metric), value)| metric_write(quarter, user, metric, value));
        Ok(UnitOfWork { writes: writes.collect(), ..UnitOfWork::default() })
    }
}
