//! Daily metrics: counts a UTC day and person, folded from events. The fold is pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::actors::auth::events::LoginPayload;
use crate::actors::catalogue::{
    APPROVAL_APPROVED, APPROVAL_REJECTED, APPROVAL_REQUESTED, CUSTOMER_CREATED, CUSTOMER_DELETED,
    MEETING_CREATED, TASK_COMPLETED, USER_LOGIN,
};
use crate::actors::customer::events::CustomerPayload;
use crate::actors::event::LoggedEvent;
use crate::actors::opportunity::events::ApprovalPayload;
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::actors::sales::events::MeetingPayload;
use crate::actors::sales::tasks::events::TaskPayload;
use crate::ids::Id;
use crate::persistence::Db;
use crate::persistence::analytics::metric_write;
use crate::persistence::unit::Unit;

/// Which figure of whom an event adds to.
fn counted(event: &LoggedEvent) -> Result<Option<(&'static str, Id)>, EffectError> {
    let requester = || event.payload::<ApprovalPayload>().map(|payload| payload.approval.requester_id);
    Ok(match event.event.event_type {
        USER_LOGIN => Some(("logins", event.payload::<LoginPayload>()?.user_id)),
        CUSTOMER_CREATED => {
            Some(("customers_created", event.payload::<CustomerPayload>()?.customer.owner_id))
        }
        CUSTOMER_DELETED => {
            Some(("customers_deleted", event.payload::<CustomerPayload>()?.customer.owner_id))
        }
        MEETING_CREATED => Some(("meetings_created", event.payload::<MeetingPayload>()?.meeting.owner_id)),
        TASK_COMPLETED => Some(("tasks_completed", event.payload::<TaskPayload>()?.task.assignee_id)),
        APPROVAL_REQUESTED => Some(("approvals_requested", requester()?)),
        APPROVAL_APPROVED => Some(("approvals_approved", requester()?)),
        APPROVAL_REJECTED => Some(("approvals_rejected", requester()?)),
        _ => None,
    })
}

/// What the events add to each day's figures.
fn fold(events: &[Arc<LoggedEvent>]) -> Result<BTreeMap<(NaiveDate, Id, &'static str), i64>, EffectError> {
    let mut sums = BTreeMap::new();
    for event in events {
        if let Some((metric, user)) = counted(event)? {
            *sums.entry((event.event.time.date(), user, metric)).or_default() += 1;
        }
    }
    Ok(sums)
}

/// Counts.
pub struct MetricsConsumer;

impl Consumer for MetricsConsumer {
    const NAME: &'static str = "analytics.metrics";
    const TYPES: &'static [&'static str] = &[
        USER_LOGIN,
        CUSTOMER_CREATED,
        CUSTOMER_DELETED,
        MEETING_CREATED,
        TASK_COMPLETED,
        APPROVAL_REQUESTED,
        APPROVAL_APPROVED,
        APPROVAL_REJECTED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let sums = fold(events)?;
        let writes =
            sums.into_iter().map(|((day, user, metric), value)| metric_write(day, user, metric, value));
        Ok(Unit { writes: writes.collect(), ..Unit::default() })
    }
}
