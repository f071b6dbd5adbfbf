//! When a user is deleted, the user's tasks are deleted and the meetings go to the successor; when a customer is
//! deleted, its meetings and tasks are deleted (SPEC §5, flows 7 and 8). This includes records that come later.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::deletions::{Deletions, Step, caused, send};
use crate::actors::sagas::progress::give_up;
use crate::actors::sales::meeting_aggregate::MeetingAggregate;
use crate::actors::sales::task_aggregate::TaskAggregate;
use crate::persistence::deletions::{
    MEETINGS_OF_CUSTOMER, MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE, TASKS_OF_CUSTOMER,
};
use domain::customer::record::CustomerPayload;
use domain::deletion::Deletion;
use domain::events::{
    CUSTOMER_DELETED, MEETING_CREATED, MEETING_DELETED, MEETING_UPDATED, MEETINGS_DELETED,
    MEETINGS_REASSIGNED, TASK_COMPLETED, TASK_CREATED, TASK_DELETED, TASK_UPDATED, TASKS_DELETED,
    USER_DELETED,
};
use domain::meeting::record::MeetingPayload;
use domain::meeting::rules::MeetingCommand;
use domain::task::record::TaskPayload;
use domain::task::rules::TaskCommand;
use domain::user::record::UserDeletedPayload;
use kernel::clock::Clock;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::Entities;
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// The consumer that hands over or deletes meetings and tasks.
pub struct SalesDeletions {
    pub gone: Deletions,
    pub meetings: Entities<MeetingAggregate>,
    pub tasks: Entities<TaskAggregate>,
    pub clock: Clock,
}

impl Consumer for SalesDeletions {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Sales.id());
    const NAME: &'static str = "sales.departures";
    const TYPES: &'static [EventType] = &[
        USER_DELETED,
        CUSTOMER_DELETED,
        MEETING_CREATED,
        MEETING_UPDATED,
        TASK_CREATED,
        TASK_UPDATED,
        TASK_COMPLETED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
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

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let (saga, steps): (_, &[EventType]) = match event.event.event_type {
            USER_DELETED => (
                event.payload::<UserDeletedPayload>().ok().map(|left| left.saga_id),
                &[TASKS_DELETED, MEETINGS_REASSIGNED],
            ),
            _ => (
                event.payload::<CustomerPayload>().ok().and_then(|left| left.saga_id),
                &[MEETINGS_DELETED, TASKS_DELETED],
            ),
        };
        let Some(saga) = saga else { return Ok(UnitOfWork::default()) };
        give_up(db, saga, steps, event, error, self.clock.now()).await
    }
}

impl SalesDeletions {
    async fn user_left(&self, event: &LoggedEvent, unit: &mut UnitOfWork) -> Result<(), EffectError> {
        let deletion = event.payload::<UserDeletedPayload>()?.deletion();
        self.gone.note(&deletion).await?;
        let (from, context) = (deletion.id, caused(event, &deletion));
        self.gone.each(&self.tasks, TASKS_OF_ASSIGNEE, from, &context, || TaskCommand::Delete).await?;
        if let Some(to) = self.gone.successor(&deletion).await? {
            let hand_over = || MeetingCommand::HandOver { from, to };
            self.gone.each(&self.meetings, MEETINGS_OF_OWNER, from, &context, hand_over).await?;
        }
        self.close(event, &deletion, TASK_DELETED, TASKS_DELETED, unit).await?;
        self.close(event, &deletion, MEETING_UPDATED, MEETINGS_REASSIGNED, unit).await
    }

    async fn customer_left(&self, event: &LoggedEvent, unit: &mut UnitOfWork) -> Result<(), EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(()) };
        self.gone.note(&deletion).await?;
        let (id, context) = (deletion.id, caused(event, &deletion));
        let meetings =
            self.gone.each(&self.meetings, MEETINGS_OF_CUSTOMER, id, &context, || MeetingCommand::Delete);
        meetings.await?;
        self.gone.each(&self.tasks, TASKS_OF_CUSTOMER, id, &context, || TaskCommand::Delete).await?;
        self.close(event, &deletion, MEETING_DELETED, MEETINGS_DELETED, unit).await?;
        self.close(event, &deletion, TASK_DELETED, TASKS_DELETED, unit).await
    }

    async fn close(
        &self,
        cause: &LoggedEvent,
        deletion: &Deletion,
        single: EventType,
        closed_by: EventType,
        unit: &mut UnitOfWork,
    ) -> Result<(), EffectError> {
        let step = Step { cause, deletion, single, closed_by };
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
            if let Some(deletion) = customer {
                let context = caused(event, deletion);
                send(&self.meetings, meeting.id, MeetingCommand::Delete, &context).await?;
            } else if let Some(deletion) = gone.get(&from)
                && let Some(to) = self.gone.successor(deletion).await?
            {
                let hand_over = MeetingCommand::HandOver { from, to };
                send(&self.meetings, meeting.id, hand_over, &caused(event, deletion)).await?;
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
            if let Some(deletion) = named.iter().find_map(|id| gone.get(id)) {
                send(&self.tasks, task, TaskCommand::Delete, &caused(event, deletion)).await?;
            }
        }
        Ok(())
    }
}

fn of_types<'a>(
    events: &'a [Arc<LoggedEvent>],
    types: &'a [EventType],
) -> impl Iterator<Item = &'a LoggedEvent> {
    events.iter().map(|event| &**event).filter(|event| types.contains(&event.event.event_type))
}
