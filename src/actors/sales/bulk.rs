//! Meetings and tasks that are changed together.

use std::sync::Arc;

use crate::actors::bulk::{Bulk, BulkParts, Sent, filter_of, selected};
use crate::actors::importing::ImportParts;
use crate::actors::sales::imports::{ImportedMeetings, ImportedTasks};
use crate::actors::sales::meeting_aggregate::MeetingAggregate;
use crate::actors::sales::service::SalesService;
use crate::actors::sales::task_aggregate::TaskAggregate;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::batches::{Batches, OF_SALES};
use domain::bulk::change::{BulkChange, MeetingsChange, Selection, TasksChange};
use domain::bulk::messages::{ChangeMeetings, ChangeTasks, PreviewMeetings, PreviewTasks};
use domain::bulk::progress::BulkFound;
use domain::events::{MEETINGS_CHANGED, MEETINGS_IMPORTED, SAGA_STARTED, TASKS_CHANGED, TASKS_IMPORTED};
use domain::meeting::messages::ListMeetings;
use domain::meeting::record::Meeting;
use domain::meeting::rules as meeting_rules;
use domain::meeting::rules::MeetingCommand;
use domain::saga::record::SagaKind;
use domain::service_name::ServiceName;
use domain::task::messages::ListTasks;
use domain::task::record::Task;
use domain::task::rules as task_rules;
use domain::task::rules::TaskCommand;
use domain::{meeting, task};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use kernel::service_id::ServiceId;
use runtime::consumer::{Consumer, EffectError};
use store::unit_of_work::UnitOfWork;
use store::{Db, StoreError};

/// Meetings, as records that are changed together.
pub struct Meetings;

impl Bulk for Meetings {
    type Record = MeetingAggregate;
    type Change = MeetingsChange;
    const SAGA: SagaKind = SagaKind::MeetingsChange;
    const CLOSED_BY: EventType = MEETINGS_CHANGED;
    const BATCHES: Batches = OF_SALES;

    fn visible<'a>(record: Option<&'a Meeting>, caller: &Caller) -> Result<&'a Meeting, Error> {
        meeting_rules::visible(record, caller)
    }

    fn command(
        change: &MeetingsChange,
        _: Id,
        _: &Context,
        _: Timestamp,
    ) -> Result<Sent<MeetingAggregate>, Error> {
        let command = match change.delete {
            true => MeetingCommand::Delete,
            false => MeetingCommand::Change(meeting_rules::check_changes(change.changes())?),
        };
        Ok(Sent::from(command))
    }
}

/// Tasks, as records that are changed together.
pub struct Tasks;

impl Bulk for Tasks {
    type Record = TaskAggregate;
    type Change = TasksChange;
    const SAGA: SagaKind = SagaKind::TasksChange;
    const CLOSED_BY: EventType = TASKS_CHANGED;
    const BATCHES: Batches = OF_SALES;

    fn visible<'a>(record: Option<&'a Task>, caller: &Caller) -> Result<&'a Task, Error> {
        task_rules::visible(record, caller)
    }

    fn command(change: &TasksChange, _: Id, _: &Context, _: Timestamp) -> Result<Sent<TaskAggregate>, Error> {
        let command = match change.delete {
            true => TaskCommand::Delete,
            false => TaskCommand::Change(task_rules::check_changes(change.changes())?),
        };
        Ok(Sent::from(command))
    }
}

impl SalesService {
    pub(super) async fn change_meetings(&self, asked: ChangeMeetings) -> Result<Id, Error> {
        let ChangeMeetings { selection, change, context } = asked;
        let ids = self.selected_meetings(selection, &change, context.caller).await?;
        self.meetings_bulk.begin(ids, change, context).await
    }

    pub(super) async fn preview_meetings(&self, asked: PreviewMeetings) -> Result<BulkFound, Error> {
        let PreviewMeetings { selection, change, caller } = asked;
        let ids = self.selected_meetings(selection, &change, caller).await?;
        self.meetings_bulk.preview(&ids, &change, caller).await
    }

    pub(super) async fn change_tasks(&self, asked: ChangeTasks) -> Result<Id, Error> {
        let ChangeTasks { selection, change, context } = asked;
        let ids = self.selected_tasks(selection, &change, context.caller).await?;
        self.tasks_bulk.begin(ids, change, context).await
    }

    pub(super) async fn preview_tasks(&self, asked: PreviewTasks) -> Result<BulkFound, Error> {
        let PreviewTasks { selection, change, caller } = asked;
        let ids = self.selected_tasks(selection, &change, caller).await?;
        self.tasks_bulk.preview(&ids, &change, caller).await
    }

    /// Checks that the caller may change records so.
    async fn check_bulk(&self, change: &impl BulkChange, caller: &Caller) -> Result<(), Error> {
        let (field, owner) = change.owner();
        caller.may_set_owner(owner)?;
        check_owner_exists(&self.auth, caller, owner, field).await
    }

    async fn selected_meetings(
        &self,
        selection: Selection,
        change: &MeetingsChange,
        caller: Caller,
    ) -> Result<Vec<Id>, Error> {
        self.check_bulk(change, &caller).await?;
        let sort = meeting::messages::SORTS[0];
        selected(
            selection,
            |meeting: &Meeting| meeting.id,
            async |filter, page| {
                self.list(ListMeetings { caller, filter: filter_of(filter)?, sort, page }).await
            },
        )
        .await
    }

    async fn selected_tasks(
        &self,
        selection: Selection,
        change: &TasksChange,
        caller: Caller,
    ) -> Result<Vec<Id>, Error> {
        self.check_bulk(change, &caller).await?;
        let sort = task::messages::SORTS[0];
        selected(
            selection,
            |task: &Task| task.id,
            async |filter, page| {
                self.list_tasks(ListTasks { caller, filter: filter_of(filter)?, sort, page }).await
            },
        )
        .await
    }
}

/// The consumer that carries out batches.
pub struct SalesBatches {
    pub meetings: BulkParts<Meetings>,
    pub tasks: BulkParts<Tasks>,
    pub imported_meetings: ImportParts<ImportedMeetings>,
    pub imported_tasks: ImportParts<ImportedTasks>,
}

impl Consumer for SalesBatches {
    const SERVICE: Option<ServiceId> = Some(ServiceName::Sales.id());
    const NAME: &'static str = "sales.batches";
    const TYPES: &'static [EventType] =
        &[SAGA_STARTED, MEETINGS_CHANGED, TASKS_CHANGED, MEETINGS_IMPORTED, TASKS_IMPORTED];

    async fn effect(&self, _: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let mut unit = UnitOfWork::default();
        for event in events {
            unit.events.extend(self.meetings.effect(event).await?);
            unit.events.extend(self.tasks.effect(event).await?);
            unit.events.extend(self.imported_meetings.effect(event).await?);
            unit.events.extend(self.imported_tasks.effect(event).await?);
        }
        Ok(unit)
    }

    async fn given_up(&self, _: &Db, event: &LoggedEvent, error: &str) -> Result<UnitOfWork, StoreError> {
        let mut unit = self.meetings.given_up(event, error).await?;
        unit.join(self.tasks.given_up(event, error).await?);
        unit.join(self.imported_meetings.given_up(event, error).await?);
        unit.join(self.imported_tasks.given_up(event, error).await?);
        Ok(unit)
    }
}
