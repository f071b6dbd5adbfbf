//! The sales service's part for tasks: checks customer and assignee, then hands the command to the task's child. The
//! table of messages is in `service.rs`.

use std::sync::Arc;

use crate::actors::sales::service::SalesService;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::tasks as queries;
use domain::task::messages::TaskCounts;
use domain::task::messages::{ChangeTask, CreateTask, ListTasks, TaskStats};
use domain::task::record::Task;
use domain::task::rules;
use domain::task::rules::TaskCommand;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::failpoint;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use kernel::search::Words;

impl SalesService {
    pub(in crate::actors::sales) async fn create_task(&self, create: CreateTask) -> Result<Arc<Task>, Error> {
        let caller = create.context.caller;
        let new = rules::check_new(create.task)?;
        caller.may_set_owner(new.assignee_id)?;
        if let Some(customer) = new.customer_id {
            self.customers.check(&caller, customer).await?;
        }
        self.check_assignee(&caller, new.assignee_id).await?;
        self.tasks.create(new_id(), TaskCommand::Create(new), create.context).await
    }

    pub(in crate::actors::sales) async fn change_task(&self, change: ChangeTask) -> Result<Arc<Task>, Error> {
        let caller = change.context.caller;
        let changes = rules::check_changes(change.changes)?;
        let task = self.find_task(&caller, change.id).await?;
        caller.may_set_owner(changes.assignee_id)?;
        if let Some(customer) = changes.customer_id.flatten().filter(|id| Some(*id) != task.customer_id) {
            self.customers.check(&caller, customer).await?;
        }
        self.check_assignee(&caller, changes.assignee_id).await?;
        self.tasks.execute(change.id, TaskCommand::Change(changes), change.context).await
    }

    async fn check_assignee(&self, caller: &Caller, assignee: Option<Id>) -> Result<(), Error> {
        check_owner_exists(&self.auth, caller, assignee, "assignee_id").await
    }

    pub(in crate::actors::sales) async fn find_task(
        &self,
        caller: &Caller,
        id: Id,
    ) -> Result<Arc<Task>, Error> {
        self.tasks.visible(id, |task| rules::visible(task, caller)).await
    }

    pub(in crate::actors::sales) async fn list_tasks(&self, list: ListTasks) -> Result<Page<Task>, Error> {
        let (owner, words) = (list.caller.only_owner(), Words::parse(list.filter.q.as_deref())?);
        Ok(queries::list(&self.db, owner, &list.filter, &words, &list.sort, &list.page).await?)
    }

    pub(in crate::actors::sales) async fn task_stats(&self, stats: TaskStats) -> Result<TaskCounts, Error> {
        failpoint::pause("stats.tasks").await;
        let assignee = stats.caller.only_owner().or(stats.owner_id);
        Ok(queries::stats(&self.db, assignee, stats.from, stats.to, self.clock.now()).await?)
    }
}
