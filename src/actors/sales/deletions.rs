//! When a user is deleted, the user's tasks are deleted and the meetings go to the successor; when a customer is
//! deleted, its meetings and tasks are deleted, and when it is merged, they go to the other customer (SPEC §5, flows 7 and 8).
//! This includes records that come later. When one of them is back, so are the meetings and tasks.

use domain::service_name::ServiceName;
use kernel::event::EventType;
use kernel::service_id::ServiceId;
use std::sync::Arc;

use crate::actors::deletions::{Deletions, Returned, Step, caused, saga_of};
use crate::actors::sagas::progress::give_up;
use crate::actors::sales::meeting_aggregate::MeetingAggregate;
use crate::actors::sales::task_aggregate::TaskAggregate;
use crate::persistence::deletions::{
    MEETINGS_OF_CUSTOMER, MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE, TASKS_OF_CUSTOMER,
};
use domain::customer::record::CustomerPayload;
use domain::deletion::Deletion;
use domain::events::{
    CUSTOMER_DELETED, CUSTOMER_MERGED, CUSTOMER_RESTORED, MEETING_CREATED, MEETING_DELETED, MEETING_RESTORED,
    MEETING_UPDATED, MEETINGS_DELETED, MEETINGS_MOVED, MEETINGS_REASSIGNED, MEETINGS_RESTORED,
    TASK_COMPLETED, TASK_CREATED, TASK_DELETED, TASK_RESTORED, TASK_UPDATED, TASKS_DELETED, TASKS_MOVED,
    TASKS_RESTORED, USER_DELETED, USER_RESTORED,
};
use domain::meeting::record::MeetingPayload;
use domain::meeting::rules::MeetingCommand;
use domain::task::record::TaskPayload;
use domain::task::rules::TaskCommand;
use domain::user::record::UserDeletedPayload;
use kernel::clock::Clock;
use kernel::event::LoggedEvent;
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
        USER_RESTORED,
        CUSTOMER_DELETED,
        CUSTOMER_MERGED,
        CUSTOMER_RESTORED,
        MEETING_CREATED,
        MEETING_UPDATED,
        MEETING_RESTORED,
        TASK_CREATED,
        TASK_UPDATED,
        TASK_COMPLETED,
        TASK_RESTORED,
    ];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            match event.event.event_type {
                USER_DELETED => self.user_left(event, &mut unit).await?,
                CUSTOMER_DELETED => self.customer_left(event, &mut unit).await?,
                CUSTOMER_MERGED => self.customer_merged(event, &mut unit).await?,
                CUSTOMER_RESTORED => self.returned(&Returned::customer(event)?, &mut unit).await?,
                USER_RESTORED => self.returned(&Returned::user(event)?, &mut unit).await?,
                _ => {}
            }
        }
        self.move_late_meetings(events).await?;
        self.move_late_tasks(events).await?;
        Ok(unit)
    }

    async fn given_up(&self, db: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let (saga, steps): (_, &[EventType]) = match event.event.event_type {
            USER_DELETED => (
                event.payload::<UserDeletedPayload>().ok().map(|left| left.saga_id),
                &[TASKS_DELETED, MEETINGS_REASSIGNED],
            ),
            CUSTOMER_DELETED => (saga_of(event), &[MEETINGS_DELETED, TASKS_DELETED]),
            CUSTOMER_MERGED => (saga_of(event), &[MEETINGS_MOVED, TASKS_MOVED]),
            CUSTOMER_RESTORED => (saga_of(event), &[MEETINGS_RESTORED, TASKS_RESTORED]),
            USER_RESTORED => (
                Returned::user(event).ok().map(|returned| returned.undo.saga_id),
                &[MEETINGS_RESTORED, TASKS_RESTORED],
            ),
            _ => (None, &[]),
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
        let delete = || TaskCommand::DeleteWith { gone: from };
        self.gone.each(&self.tasks, TASKS_OF_ASSIGNEE, &deletion, &context, delete).await?;
        if let Some(to) = self.gone.successor(&deletion).await? {
            let hand_over = || MeetingCommand::HandOver { from, to };
            self.gone.each(&self.meetings, MEETINGS_OF_OWNER, &deletion, &context, hand_over).await?;
        }
        self.close(event, &deletion, TASK_DELETED, TASKS_DELETED, unit).await?;
        self.close(event, &deletion, MEETING_UPDATED, MEETINGS_REASSIGNED, unit).await
    }

    async fn customer_left(&self, event: &LoggedEvent, unit: &mut UnitOfWork) -> Result<(), EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(()) };
        self.gone.note(&deletion).await?;
        let (gone, context) = (deletion.id, caused(event, &deletion));
        let delete = || MeetingCommand::DeleteWith { customer_id: gone };
        self.gone.each(&self.meetings, MEETINGS_OF_CUSTOMER, &deletion, &context, delete).await?;
        let delete = || TaskCommand::DeleteWith { gone };
        self.gone.each(&self.tasks, TASKS_OF_CUSTOMER, &deletion, &context, delete).await?;
        self.close(event, &deletion, MEETING_DELETED, MEETINGS_DELETED, unit).await?;
        self.close(event, &deletion, TASK_DELETED, TASKS_DELETED, unit).await
    }

    async fn customer_merged(&self, event: &LoggedEvent, unit: &mut UnitOfWork) -> Result<(), EffectError> {
        let Some(deletion) = event.payload::<CustomerPayload>()?.deletion() else { return Ok(()) };
        self.gone.note(&deletion).await?;
        let (from, context) = (deletion.id, caused(event, &deletion));
        // Where the other customer is deleted by now, the records find that out as latecomers.
        if let Some(to) = deletion.successor_id {
            let go = || MeetingCommand::Move { from, to };
            self.gone.each(&self.meetings, MEETINGS_OF_CUSTOMER, &deletion, &context, go).await?;
            let go = || TaskCommand::Move { from, to };
            self.gone.each(&self.tasks, TASKS_OF_CUSTOMER, &deletion, &context, go).await?;
        }
        self.close(event, &deletion, MEETING_UPDATED, MEETINGS_MOVED, unit).await?;
        self.close(event, &deletion, TASK_UPDATED, TASKS_MOVED, unit).await
    }

    async fn returned(&self, returned: &Returned<'_>, unit: &mut UnitOfWork) -> Result<(), EffectError> {
        self.gone.forget(returned.id, returned.undo.undoes).await?;
        let now = self.clock.now();
        unit.events.push(self.gone.take_back(&self.meetings, returned, MEETINGS_RESTORED, now).await?);
        unit.events.push(self.gone.take_back(&self.tasks, returned, TASKS_RESTORED, now).await?);
        Ok(())
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
        for event in of_types(events, &[MEETING_CREATED, MEETING_UPDATED, MEETING_RESTORED]) {
            meetings.push((event, event.payload::<MeetingPayload>()?.meeting));
        }
        let named = meetings.iter().flat_map(|(_, meeting)| [meeting.customer_id, meeting.owner_id]);
        let gone = self.gone.among(named.collect()).await?;
        for (event, meeting) in meetings {
            let (from, customer) = (meeting.owner_id, gone.get(&meeting.customer_id));
            if let Some(deletion) = customer {
                let late = match self.gone.successor(deletion).await? {
                    Some(to) => MeetingCommand::Move { from: deletion.id, to },
                    None => MeetingCommand::DeleteWith { customer_id: deletion.id },
                };
                let saga = (deletion.saga_id, &caused(event, deletion));
                self.gone.send(&self.meetings, meeting.id, late, saga).await?;
            } else if let Some(deletion) = gone.get(&from)
                && let Some(to) = self.gone.successor(deletion).await?
            {
                let hand_over = MeetingCommand::HandOver { from, to };
                let saga = (deletion.saga_id, &caused(event, deletion));
                self.gone.send(&self.meetings, meeting.id, hand_over, saga).await?;
            }
        }
        Ok(())
    }

    async fn move_late_tasks(&self, events: &[Arc<LoggedEvent>]) -> Result<(), EffectError> {
        let mut tasks = Vec::new();
        for event in of_types(events, &[TASK_CREATED, TASK_UPDATED, TASK_COMPLETED, TASK_RESTORED]) {
            tasks.push((event, event.payload::<TaskPayload>()?.task));
        }
        let named = tasks.iter().flat_map(|(_, task)| task.customer_id.into_iter().chain([task.assignee_id]));
        let gone = self.gone.among(named.collect()).await?;
        for (event, task) in tasks {
            let customer = task.customer_id.and_then(|id| gone.get(&id));
            let (deletion, late) = match (gone.get(&task.assignee_id), customer) {
                (Some(deletion), _) => (deletion, TaskCommand::DeleteWith { gone: deletion.id }),
                (None, Some(deletion)) => match self.gone.successor(deletion).await? {
                    Some(to) => (deletion, TaskCommand::Move { from: deletion.id, to }),
                    None => (deletion, TaskCommand::DeleteWith { gone: deletion.id }),
                },
                (None, None) => continue,
            };
            let saga = (deletion.saga_id, &caused(event, deletion));
            self.gone.send(&self.tasks, task.id, late, saga).await?;
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
