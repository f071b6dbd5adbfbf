//! The sales service: makes sure of the customer, then hands a meeting to its child. Tasks' part of it stands
//! in `tasks/service.rs`.

use std::sync::Arc;

use super::aggregate::MeetingAggregate;
use super::domain::{self, Meeting, MeetingCommand};
use super::messages::{ChangeMeeting, CreateMeeting, DeleteMeeting, FindMeeting, ListMeetings, MeetingStats};
use super::tasks::aggregate::TaskAggregate;
use super::tasks::domain::{Task, TaskCommand};
use super::tasks::messages::{
    AlertDueTasks, ChangeTask, CreateTask, DeleteTask, FindTask, ListTasks, TaskStats,
};
use crate::actors::auth::client::AuthClient;
use crate::actors::context::Caller;
use crate::actors::customers_known::KnownCustomers;
use crate::actors::owners::check_owner_exists;
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::call::Guard;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::serve;
use crate::actors::sagas::domain::{Counted, Counts, SagaKind};
use crate::actors::sagas::messages::CountReferring;
use crate::clock::Clock;
use crate::failpoint;
use crate::ids::{Id, new_id};
use crate::persistence::Db;
use crate::persistence::departures::{
    self, MEETINGS_OF_CUSTOMER, MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE, TASKS_OF_CUSTOMER,
};
use crate::persistence::meetings::{self as store, MeetingCounts};
use crate::persistence::tasks::{self as task_store, DueTask, TaskCounts};

/// What the service works with; shared by its requests.
pub struct SalesDesk {
    pub db: Db,
    pub clock: Clock,
    pub meetings: Entities<MeetingAggregate>,
    pub tasks: Entities<TaskAggregate>,
    pub customers: KnownCustomers,
    pub auth: AuthClient,
    pub auth_guard: Guard,
}

impl SalesDesk {
    async fn create(&self, create: CreateMeeting) -> Result<Arc<Meeting>, Refusal> {
        let caller = create.context.caller;
        let draft = domain::check_new(create.meeting)?;
        caller.may_set_owner(draft.owner_id)?;
        self.customers.check(&caller, draft.customer_id).await?;
        check_owner_exists(&self.auth, &self.auth_guard, &caller, draft.owner_id, "owner_id").await?;
        self.meetings.create(new_id(), MeetingCommand::Create(draft), create.context).await
    }

    async fn change(&self, change: ChangeMeeting) -> Result<Arc<Meeting>, Refusal> {
        let caller = change.context.caller;
        let edit = domain::check_changes(change.changes)?;
        let meeting = self.find(&caller, change.id).await?;
        caller.may_set_owner(edit.owner_id)?;
        if let Some(customer) = edit.customer_id.filter(|customer| *customer != meeting.customer_id) {
            self.customers.check(&caller, customer).await?;
        }
        check_owner_exists(&self.auth, &self.auth_guard, &caller, edit.owner_id, "owner_id").await?;
        self.meetings.execute(change.id, MeetingCommand::Change(edit), change.context).await
    }

    async fn find(&self, caller: &Caller, id: Id) -> Result<Arc<Meeting>, Refusal> {
        let meeting = self.meetings.get(id).await?;
        domain::visible(meeting.as_deref(), caller)?;
        Ok(meeting.expect("what is visible is there"))
    }

    async fn count_referring(&self, asked: CountReferring) -> Result<Counts, Refusal> {
        let (meetings, tasks) = match asked.kind {
            SagaKind::UserDeletion => (MEETINGS_OF_OWNER, TASKS_OF_ASSIGNEE),
            SagaKind::CustomerDeletion => (MEETINGS_OF_CUSTOMER, TASKS_OF_CUSTOMER),
        };
        let meetings = departures::count(&self.db, meetings, asked.id).await?;
        let tasks = departures::count(&self.db, tasks, asked.id).await?;
        Ok(Counts::from([(Counted::Meetings, meetings), (Counted::Tasks, tasks)]))
    }

    async fn stats(&self, stats: MeetingStats) -> Result<MeetingCounts, Refusal> {
        failpoint::pause("stats.meetings").await;
        let owner = stats.caller.only_owner().or(stats.owner_id);
        Ok(store::stats(&self.db, owner, stats.from, stats.to).await?)
    }
}

serve!(SalesDesk as Sales, {
    CreateMeeting command => |desk, message| Arc<Meeting> { desk.create(message).await },
    ChangeMeeting command => |desk, message| Arc<Meeting> { desk.change(message).await },
    DeleteMeeting command => |desk, message| Arc<Meeting> {
        desk.meetings.execute(message.id, MeetingCommand::Delete, message.context).await
    },
    FindMeeting read => |desk, message| Arc<Meeting> { desk.find(&message.caller, message.id).await },
    ListMeetings read => |desk, message| Page<Meeting> {
        Ok(store::list(&desk.db, &message.caller, &message.filter, &message.page).await?)
    },
    CountReferring read => |desk, message| Counts { desk.count_referring(message).await },
    MeetingStats read => |desk, message| MeetingCounts { desk.stats(message).await },
    CreateTask command => |desk, message| Arc<Task> { desk.create_task(message).await },
    ChangeTask command => |desk, message| Arc<Task> { desk.change_task(message).await },
    DeleteTask command => |desk, message| Arc<Task> {
        desk.tasks.execute(message.id, TaskCommand::Delete, message.context).await
    },
    FindTask read => |desk, message| Arc<Task> { desk.find_task(&message.caller, message.id).await },
    ListTasks read => |desk, message| Page<Task> {
        Ok(task_store::list(&desk.db, &message.caller, &message.filter, &message.page).await?)
    },
    TaskStats read => |desk, message| TaskCounts { desk.task_stats(message).await },
    AlertDueTasks command => |desk, message| Option<DueTask> { desk.alert_due(message).await },
});
