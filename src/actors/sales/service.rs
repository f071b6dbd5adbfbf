//! The sales service: checks the customer, then hands the command to the meeting's child. Its part for tasks is in
//! `task_service.rs`.

use domain::service_name::ServiceName;
use std::sync::Arc;

use crate::actors::attachments::Attachments;
use crate::actors::auth::client::AuthPeer;
use crate::actors::bulk::BulkParts;
use crate::actors::comments::{Comments, on_record};
use crate::actors::customer_check::CustomerCheck;
use crate::actors::importing::{ImportParts, drop_rows};
use crate::actors::sales::bulk::{Meetings, Tasks};
use crate::actors::sales::imports::{ImportedMeetings, ImportedTasks};
use crate::actors::sales::meeting_aggregate::MeetingAggregate;
use crate::actors::sales::task_aggregate::TaskAggregate;
use crate::actors::undo::find_changes;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::batches::OF_SALES;
use crate::persistence::deletions;
use crate::persistence::deletions::{
    MEETINGS_OF_CUSTOMER, MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE, TASKS_OF_CUSTOMER,
};
use crate::persistence::found;
use crate::persistence::meetings as queries;
use crate::persistence::record_activity;
use crate::persistence::saga_items::{Group, SALES_ITEMS};
use domain::api_key::event_scopes::to_read;
use domain::attachment::messages::{
    AddAttachment, CheckAttachable, FindAttachment, ListAttachments, RemoveAttachment,
};
use domain::attachment::record::Attachment;
use domain::bulk::messages::{ChangeMeetings, ChangeTasks, CountOfCustomers, PreviewMeetings, PreviewTasks};
use domain::bulk::progress::BulkFound;
use domain::comment::messages::{AddComment, ChangeComment, DeleteComment, FindComment, ListComments};
use domain::comment::record::Comment;
use domain::events::{MEETING_CREATED, TASK_CREATED};
use domain::import::messages::{CheckRows, CheckedRow, DropRows, StageRows};
use domain::meeting::messages::MeetingCounts;
use domain::meeting::messages::{
    ChangeMeeting, CreateMeeting, DeleteMeeting, FindMeeting, ListMeetings, MeetingStats, ReadMeetingActivity,
};
use domain::meeting::record::Meeting;
use domain::meeting::rules;
use domain::meeting::rules::MeetingCommand;
use domain::saga::messages::CountReferring;
use domain::saga::record::{Counted, Counts, Saga, SagaKind};
use domain::search::messages::FindRecords;
use domain::search::record::{Hit, RecordType};
use domain::search::rules::{merged, ranked};
use domain::task::messages::TaskCounts;
use domain::task::messages::{
    AlertDueTasks, ChangeTask, CreateTask, DeleteTask, DueTask, FindTask, ListTasks, ReadTaskActivity,
    TaskStats,
};
use domain::task::record::Task;
use domain::task::rules::TaskCommand;
use domain::undo::messages::{FindChanges, FindInUse, RevertMany};
use domain::undo::record::FoundChanges;
use kernel::caller::Caller;
use kernel::clock::Clock;
use kernel::error::Error;
use kernel::event::{EventRecord, EventType};
use kernel::failpoint;
use kernel::ids::{Id, new_id};
use kernel::page::{Page, PageRequest};
use kernel::rank::Query;
use kernel::search::Words;
use runtime::entity::Entities;
use runtime::serve;
use store::Db;

/// The logic of the service, shared by its requests.
pub struct SalesService {
    pub db: Db,
    pub clock: Clock,
    pub meetings: Entities<MeetingAggregate>,
    pub tasks: Entities<TaskAggregate>,
    pub customers: CustomerCheck,
    pub meeting_comments: Comments<MeetingAggregate>,
    pub task_comments: Comments<TaskAggregate>,
    pub meeting_attachments: Attachments<MeetingAggregate>,
    pub task_attachments: Attachments<TaskAggregate>,
    pub auth: AuthPeer,
    pub meetings_bulk: BulkParts<Meetings>,
    pub tasks_bulk: BulkParts<Tasks>,
    pub meetings_import: ImportParts<ImportedMeetings>,
    pub tasks_import: ImportParts<ImportedTasks>,
}

impl SalesService {
    async fn create(&self, create: CreateMeeting) -> Result<Arc<Meeting>, Error> {
        let caller = create.context.caller;
        let new = rules::check_new(create.meeting)?;
        caller.may_set_owner(new.owner_id)?;
        self.customers.check(&caller, new.customer_id).await?;
        check_owner_exists(&self.auth, &caller, new.owner_id, "owner_id").await?;
        self.meetings.create(new_id(), MeetingCommand::Create(new), create.context).await
    }

    async fn change(&self, change: ChangeMeeting) -> Result<Arc<Meeting>, Error> {
        let caller = change.context.caller;
        let changes = rules::check_changes(change.changes)?;
        let meeting = self.find(&caller, change.id).await?;
        caller.may_set_owner(changes.owner_id)?;
        if let Some(customer) = changes.customer_id.filter(|customer| *customer != meeting.customer_id) {
            self.customers.check(&caller, customer).await?;
        }
        check_owner_exists(&self.auth, &caller, changes.owner_id, "owner_id").await?;
        self.meetings.execute(change.id, MeetingCommand::Change(changes), change.context).await
    }

    async fn find(&self, caller: &Caller, id: Id) -> Result<Arc<Meeting>, Error> {
        self.meetings.visible(id, |meeting| rules::visible(meeting, caller)).await
    }

    /// The events about a record that the caller may see; the record is visible to the caller.
    async fn activity(
        &self,
        caller: &Caller,
        (id, of_type): (Id, EventType),
        page: &PageRequest,
    ) -> Result<Page<EventRecord>, Error> {
        Ok(record_activity::page(&self.db, id, of_type, caller.only_owner(), page).await?)
    }

    async fn count_referring(&self, asked: CountReferring) -> Result<Counts, Error> {
        let (meetings, tasks) = match asked.kind {
            SagaKind::UserDeletion => (MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE),
            _ => (MEETINGS_OF_CUSTOMER, TASKS_OF_CUSTOMER),
        };
        let viewer = asked.caller.only_owner();
        let meetings = deletions::count(&self.db, meetings, asked.id, viewer).await?;
        let tasks = deletions::count(&self.db, tasks, asked.id, viewer).await?;
        Ok(Counts::from([(Counted::Meetings, meetings), (Counted::Tasks, tasks)]))
    }

    /// Which meetings and tasks the undo of a saga would take back.
    async fn find_changes(&self, saga: &Saga) -> Result<FoundChanges, Error> {
        let (db, of) = (&self.db, |group| (saga.id, group));
        match saga.kind {
            SagaKind::MeetingsChange | SagaKind::MeetingsImport => {
                find_changes::<MeetingAggregate>(db, SALES_ITEMS, of(Group::All)).await
            }
            SagaKind::TasksChange | SagaKind::TasksImport => {
                find_changes::<TaskAggregate>(db, SALES_ITEMS, of(Group::All)).await
            }
            _ => {
                let meetings = of(Group::Kind(Counted::Meetings));
                let mut found = find_changes::<MeetingAggregate>(db, SALES_ITEMS, meetings).await?;
                let tasks = of(Group::Kind(Counted::Tasks));
                found.join(find_changes::<TaskAggregate>(db, SALES_ITEMS, tasks).await?);
                Ok(found)
            }
        }
    }

    async fn count_of_customers(&self, asked: &CountOfCustomers) -> Result<Counts, Error> {
        let viewer = asked.caller.only_owner();
        let meetings = deletions::count_all(&self.db, MEETINGS_OF_CUSTOMER, &asked.ids, viewer).await?;
        let tasks = deletions::count_all(&self.db, TASKS_OF_CUSTOMER, &asked.ids, viewer).await?;
        Ok(Counts::from([(Counted::Meetings, meetings), (Counted::Tasks, tasks)]))
    }

    pub(super) async fn list(&self, list: ListMeetings) -> Result<Page<Meeting>, Error> {
        let (owner, words) = (list.caller.only_owner(), Words::parse(list.filter.q.as_deref())?);
        Ok(queries::list(&self.db, owner, &list.filter, &words, &list.sort, &list.page).await?)
    }

    /// The meetings and tasks for `/search`.
    async fn find_records(&self, asked: &FindRecords) -> Result<Vec<Hit>, Error> {
        failpoint::pause("search.sales").await;
        let (owner, query) = (asked.caller.only_owner(), Query::parse(&asked.q)?);
        if query.words().is_empty() {
            return Ok(Vec::new());
        }
        let candidates = async |of: RecordType, searched| match asked.caller.scopes.contains(to_read(of)) {
            true => found::candidates(&self.db, searched, owner, &query).await,
            false => Ok(Vec::new()),
        };
        let (meetings, tasks) = futures_util::join!(
            candidates(RecordType::Meeting, &found::MEETINGS),
            candidates(RecordType::Task, &found::TASKS)
        );
        let mut hits = ranked(RecordType::Meeting, &query, meetings?, asked.limit);
        hits.extend(ranked(RecordType::Task, &query, tasks?, asked.limit));
        Ok(merged(hits, asked.limit))
    }

    async fn stats(&self, stats: MeetingStats) -> Result<MeetingCounts, Error> {
        failpoint::pause("stats.meetings").await;
        let owner = stats.caller.only_owner().or(stats.owner_id);
        Ok(queries::stats(&self.db, owner, stats.from, stats.to).await?)
    }
}

serve!(SalesService as ServiceName::Sales, {
    CreateMeeting command => |service, message| Arc<Meeting> { service.create(message).await },
    ChangeMeeting command => |service, message| Arc<Meeting> { service.change(message).await },
    DeleteMeeting command => |service, message| Arc<Meeting> {
        service.meetings.execute(message.id, MeetingCommand::Delete, message.context).await
    },
    FindMeeting read => |service, message| Arc<Meeting> { service.find(&message.caller, message.id).await },
    ListMeetings read => |service, message| Page<Meeting> { service.list(message).await },
    ChangeMeetings command => |service, message| Id { service.change_meetings(message).await },
    PreviewMeetings read => |service, message| BulkFound { service.preview_meetings(message).await },
    ChangeTasks command => |service, message| Id { service.change_tasks(message).await },
    PreviewTasks read => |service, message| BulkFound { service.preview_tasks(message).await },
    CheckRows read => |service, message| Vec<CheckedRow> { service.check_rows(message).await },
    StageRows command => |service, message| () { service.stage_rows(message).await },
    DropRows command => |service, message| () { drop_rows(&service.db, OF_SALES, message).await },
    CountOfCustomers read => |service, message| Counts { service.count_of_customers(&message).await },
    FindRecords read => |service, message| Vec<Hit> { service.find_records(&message).await },
    ReadMeetingActivity read => |service, message| Page<EventRecord> {
        service.find(&message.caller, message.id).await?;
        service.activity(&message.caller, (message.id, MEETING_CREATED), &message.page).await
    },
    CountReferring read => |service, message| Counts { service.count_referring(message).await },
    RevertMany command => |service, message| Id {
        match message.saga.kind {
            SagaKind::TasksChange | SagaKind::TasksImport => service.tasks_bulk.begin_undo(message).await,
            _ => service.meetings_bulk.begin_undo(message).await,
        }
    },
    FindChanges read => |service, message| FoundChanges { service.find_changes(&message.saga).await },
    FindInUse read => |service, message| Vec<Id> {
        Ok(deletions::in_use(&service.db, &[MEETINGS_OF_CUSTOMER, TASKS_OF_CUSTOMER], &message.ids).await?)
    },
    MeetingStats read => |service, message| MeetingCounts { service.stats(message).await },
    CreateTask command => |service, message| Arc<Task> { service.create_task(message).await },
    ChangeTask command => |service, message| Arc<Task> { service.change_task(message).await },
    DeleteTask command => |service, message| Arc<Task> {
        service.tasks.execute(message.id, TaskCommand::Delete, message.context).await
    },
    FindTask read => |service, message| Arc<Task> { service.find_task(&message.caller, message.id).await },
    ListTasks read => |service, message| Page<Task> { service.list_tasks(message).await },
    ReadTaskActivity read => |service, message| Page<EventRecord> {
        service.find_task(&message.caller, message.id).await?;
        service.activity(&message.caller, (message.id, TASK_CREATED), &message.page).await
    },
    TaskStats read => |service, message| TaskCounts { service.task_stats(message).await },
    AlertDueTasks command => |service, message| Option<DueTask> { service.alert_due(message).await },
    AddComment command => |service, message| Arc<Comment> { on_record!(service, message, add, Meeting => meeting_comments, Task => task_comments) },
    ChangeComment command => |service, message| Arc<Comment> { on_record!(service, message, change, Meeting => meeting_comments, Task => task_comments) },
    DeleteComment command => |service, message| Id { on_record!(service, message, delete, Meeting => meeting_comments, Task => task_comments) },
    FindComment read => |service, message| Arc<Comment> { on_record!(service, message, find, Meeting => meeting_comments, Task => task_comments) },
    ListComments read => |service, message| Page<Comment> { on_record!(service, message, list, Meeting => meeting_comments, Task => task_comments) },
    AddAttachment command => |service, message| Arc<Attachment> {
        on_record!(service, message, add, Meeting => meeting_attachments, Task => task_attachments)
    },
    RemoveAttachment command => |service, message| Id {
        on_record!(service, message, remove, Meeting => meeting_attachments, Task => task_attachments)
    },
    FindAttachment read => |service, message| Arc<Attachment> {
        on_record!(service, message, find, Meeting => meeting_attachments, Task => task_attachments)
    },
    CheckAttachable read => |service, message| () {
        on_record!(service, message, check, Meeting => meeting_attachments, Task => task_attachments)
    },
    ListAttachments read => |service, message| Page<Attachment> {
        on_record!(service, message, list, Meeting => meeting_attachments, Task => task_attachments)
    },
});
