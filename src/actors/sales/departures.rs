//! When a user is gone, their tasks are deleted and their meetings the successor's; when a customer is, its
//! meetings and tasks are deleted (SPEC §5, flows 7 and 8). So are those that come late.

use std::sync::Arc;

use super::aggregate::MeetingAggregate;
use super::domain::MeetingCommand;
use super::events::MeetingPayload;
use super::tasks::aggregate::TaskAggregate;
use super::tasks::domain::TaskCommand;
use super::tasks::events::TaskPayload;
use crate::actors::auth::events::UserDeletedPayload;
use crate::actors::catalogue::{
    CUSTOMER_DELETED, MEETING_CREATED, MEETING_DELETED, MEETING_UPDATED, MEETINGS_DELETED,
    MEETINGS_REASSIGNED, TASK_COMPLETED, TASK_CREATED, TASK_DELETED, TASK_UPDATED, TASKS_DELETED,
    USER_DELETED,
};
use crate::actors::customer::events::CustomerPayload;
use crate::actors::departures::{Departures, Step, caused, send};
use crate::actors::event::LoggedEvent;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::feed::{Consumer, EffectError};
use crate::actors::sagas::progress::give_up;
use crate::clock::Clock;
use crate::ids::Id;
use crate::persistence::departures::{
    Departure, MEETINGS_OF_CUSTOMER, MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE, TASKS_OF_CUSTOMER,
};
use crate::persistence::unit::Unit;
use crate::persistence::{Db, StoreError};

/// Hands over and deletes.
pub struct SalesDepartures {
    pub gone: Departures,
    pub meetings: Entities<MeetingAggregate>,
    pub tasks: Entities<TaskAggregate>,
    pub clock: Clock,
}

impl Consumer for SalesDepartures {
    const NAME: &'static str = "sales.departures";
    const TYPES: &'static [&'static str] = &[
        USER_DELETED,
        CUSTOMER_DELETED,
        MEETING_CREATED,
        MEETING_UPDATED,
        TASK_CREATED,
        TASK_UPDATED,
        TASK_COMPLETED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let mut unit = Unit::default();
        for event in events {
            match event.event.event_type {
                USER_DELETED => self.user_left(event, &mut unit).await?,
                CUSTOMER_DELETED => self.customer_left(event, &mut unit).await?,
                _ => {}
            }
        }
        self.move_late_meetings(events).await?;
        self.delete_late_tasks(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<Unit, StoreError> {
        let (saga, steps): (_, &[&str]) = match event.event.event_type {
            USER_DELETED => (
                event.payload::<UserDeletedPayload>().ok().map(|left| left.saga_id),
                &[TASKS_DELETED, MEETINGS_REASSIGNED],
            ),
            _ => (
                event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id),
                &[MEETINGS_DELETED, TASKS_DELETED],
            ),
        };
        let Some(saga) = saga else { return Ok(Unit::default()) };
        give_up(db, saga, steps, event, error, self.clock.now()).await
    }
}

impl SalesDepartures {
    async fn user_left(&self, event: &LoggedEvent, unit: &mut Unit) -> Result<(), EffectError> {
        let departure = event.payload::<UserDeletedPayload>()?.departure();
        self.gone.note(&departure).await?;
        let (from, context) = (departure.id, caused(event, &departure));
        self.gone.each(&self.tasks, TASKS_OF_ASSIGNEE, from, &context, || TaskCommand::Delete).await?;
        if let Some(to) = self.gone.heir(&departure).await? {
            let inherit = || MeetingCommand::Inherit { from, to };
            self.gone.each(&self.meetings, MEETINGS_OF_OWNER, from, &context, inherit).await?;
        }
        self.close(event, &departure, TASK_DELETED, TASKS_DELETED, unit).await?;
        self.close(event, &departure, MEETING_UPDATED, MEETINGS_REASSIGNED, unit).await
    }

    async fn customer_left(&self, event: &LoggedEvent, unit: &mut Unit) -> Result<(), EffectError> {
        let Some(departure) = event.payload::<CustomerPayload>()?.departure() else { return Ok(()) };
        self.gone.note(&departure).await?;
        let (id, context) = (departure.id, caused(event, &departure));
        let meetings =
            self.gone.each(&self.meetings, MEETINGS_OF_CUSTOMER, id, &context, || MeetingCommand::Delete);
        meetings.await?;
        self.gone.each(&self.tasks, TASKS_OF_CUSTOMER, id, &context, || TaskCommand::Delete).await?;
        self.close(event, &departure, MEETING_DELETED, MEETINGS_DELETED, unit).await?;
        self.close(event, &departure, TASK_DELETED, TASKS_DELETED, unit).await
    }

    async fn close(
        &self,
        cause: &LoggedEvent,
        departure: &Departure,
        single: &str,
        closed_by: &'static str,
        unit: &mut Unit,
    ) -> Result<(), EffectError> {
        let step = Step { cause, departure, single, closed_by };
        unit.events.push(self.gone.closing(step, self.clock.now()).await?);
        Ok(())
    }

    async fn move_late_meetings(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut meetings = Vec::new();
        for event in of_types(events, &[MEETING_CREATED, MEETING_UPDATED]) {
            meetings.push((event, event.payload::<MeetingPayload>()?.meeting));
        }
        let named = meetings.iter().flat_map(|(_, meeting)| [meeting.customer_id, meeting.owner_id]);
        let gone = self.gone.among(named.collect()).await?;
        for (event, meeting) in meetings {
            let (from, customer) = (meeting.owner_id, gone.get(&meeting.customer_id));
            if let Some(departure) = customer {
                let context = caused(event, departure);
                send(&self.meetings, meeting.id, MeetingCommand::Delete, &context).await?;
            } else if let Some(departure) = gone.get(&from)
                && let Some(to) = self.gone.heir(departure).await?
            {
                let inherit = MeetingCommand::Inherit { from, to };
                send(&self.meetings, meeting.id, inherit, &caused(event, departure)).await?;
            }
        }
        Ok(())
    }

    async fn delete_late_tasks(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut tasks: Vec<(&LoggedEvent, Id, Vec<Id>)> = Vec::new();
        for event in of_types(events, &[TASK_CREATED, TASK_UPDATED, TASK_COMPLETED]) {
            let TaskPayload { task, .. } = event.payload()?;
            tasks.push((event, task.id, task.customer_id.into_iter().chain([task.assignee_id]).collect()));
        }
        let gone = self.gone.among(tasks.iter().flat_map(|(_, _, named)| named).copied().collect()).await?;
        for (event, task, named) in tasks {
            if let Some(departure) = named.iter().find_map(|id| gone.get(id)) {
                send(&self.tasks, task, TaskCommand::Delete, &caused(event, departure)).await?;
            }
        }
        Ok(())
    }
}

fn of_types<'a>(events: &'a [Arc<LoggedEvent>], types: &'a [&str]) -> impl Iterator<Item = &'a LoggedEvent> {
    events.iter().map(|event| &**event).filter(|event| types.contains(&event.event.event_type))
}
