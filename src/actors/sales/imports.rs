//! Meetings and tasks as records that are imported.

use serde_json::{Map, Value};

use crate::actors::customer::client::CustomerPeer;
use crate::actors::importing::Imported;
use crate::actors::sales::meeting_aggregate::MeetingAggregate;
use crate::actors::sales::service::SalesService;
use crate::actors::sales::task_aggregate::TaskAggregate;
use crate::persistence::batches::{Batches, OF_SALES};
use crate::persistence::external_ids::SALES_EXTERNAL_IDS;
use domain::events::{MEETINGS_IMPORTED, TASKS_IMPORTED};
use domain::import::messages::{CheckRows, CheckedRow, StageRows};
use domain::import::record::ImportKind;
use domain::import::row::body;
use domain::meeting::record::{Meeting, MeetingChanges, NewMeeting};
use domain::meeting::rules as meeting_rules;
use domain::meeting::rules::MeetingCommand;
use domain::task::record::{NewTask, Task, TaskChanges};
use domain::task::rules as task_rules;
use domain::task::rules::TaskCommand;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::event::EventType;
use kernel::ids::Id;
use store::table::Table;

/// Meetings, as records that are imported.
pub struct ImportedMeetings;

impl Imported for ImportedMeetings {
    type Record = MeetingAggregate;
    type Customers = CustomerPeer;
    const KIND: ImportKind = ImportKind::Meetings;
    const CLOSED_BY: EventType = MEETINGS_IMPORTED;
    const BATCHES: Batches = OF_SALES;
    const EXTERNAL_IDS: &'static Table = &SALES_EXTERNAL_IDS;

    fn visible<'a>(record: Option<&'a Meeting>, caller: &Caller) -> Result<&'a Meeting, Error> {
        meeting_rules::visible(record, caller)
    }

    fn create(fields: &Map<String, Value>) -> Result<MeetingCommand, Error> {
        Ok(MeetingCommand::Create(meeting_rules::check_new(body::<NewMeeting>(fields)?)?))
    }

    fn change(fields: &Map<String, Value>) -> Result<MeetingCommand, Error> {
        Ok(MeetingCommand::Change(meeting_rules::check_changes(body::<MeetingChanges>(fields)?)?))
    }

    fn id(record: &Meeting) -> Id {
        record.id
    }
}

/// Tasks, as records that are imported.
pub struct ImportedTasks;

impl Imported for ImportedTasks {
    type Record = TaskAggregate;
    type Customers = CustomerPeer;
    const KIND: ImportKind = ImportKind::Tasks;
    const CLOSED_BY: EventType = TASKS_IMPORTED;
    const BATCHES: Batches = OF_SALES;
    const EXTERNAL_IDS: &'static Table = &SALES_EXTERNAL_IDS;

    fn visible<'a>(record: Option<&'a Task>, caller: &Caller) -> Result<&'a Task, Error> {
        task_rules::visible(record, caller)
    }

    fn create(fields: &Map<String, Value>) -> Result<TaskCommand, Error> {
        Ok(TaskCommand::Create(task_rules::check_new(body::<NewTask>(fields)?)?))
    }

    fn change(fields: &Map<String, Value>) -> Result<TaskCommand, Error> {
        Ok(TaskCommand::Change(task_rules::check_changes(body::<TaskChanges>(fields)?)?))
    }

    fn id(record: &Task) -> Id {
        record.id
    }
}

impl SalesService {
    pub(super) async fn check_rows(&self, check: CheckRows) -> Result<Vec<CheckedRow>, Error> {
        match check.kind {
            ImportKind::Meetings => self.meetings_import.check(check).await,
            ImportKind::Tasks => self.tasks_import.check(check).await,
            kind => Err(Error::internal(format_args!("sales keeps no {}", kind.as_str()))),
        }
    }

    pub(super) async fn stage_rows(&self, stage: StageRows) -> Result<(), Error> {
        match stage.kind {
            ImportKind::Meetings => self.meetings_import.stage(stage).await,
            ImportKind::Tasks => self.tasks_import.stage(stage).await,
            kind => Err(Error::internal(format_args!("sales keeps no {}", kind.as_str()))),
        }
    }
}
