//! The sales service's part for tasks: makes sure of customer and assignee, then hands a task to its child. Which message leads
//! here stands in `sales/service.rs`.

use std::sync::Arc;

use super::domain::{self, Task, TaskCommand};
use super::messages::{ChangeTask, CreateTask, TaskStats};
use crate::actors::context::Caller;
use crate::actors::owners::check_owner_exists;
use crate::actors::refusal::Refusal;
use crate::actors::sales::service::SalesDesk;
use crate::failpoint;
use crate::ids::{Id, new_id};
use crate::persistence::tasks::{self as store, TaskCounts};

impl SalesDesk {
    pub(in crate::actors::sales) async fn create_task(
        &self,
        create: CreateTask,
    ) -> Result<Arc<Task>, Refusal> {
        let caller = create.context.caller;
        let draft = domain::check_new(create.task)?;
        caller.may_set_owner(draft.assignee_id)?;
        if let Some(customer) = draft.customer_id {
            self.customers.check(&caller, customer).await?;
        }
        self.check_assignee(&caller, draft.assignee_id).await?;
        self.tasks.create(new_id(), TaskCommand::Create(draft), create.context).await
    }

    pub(in crate::actors::sales) async fn change_task(
        &self,
        change: ChangeTask,
    ) -> Result<Arc<Task>, Refusal> {
        let caller = change.context.caller;
        let edit = domain::check_changes(change.changes)?;
        let task = self.find_task(&caller, change.id).await?;
        caller.may_set_owner(edit.assignee_id)?;
        if let Some(customer) = edit.customer_id.flatten().filter(|id| Some(*id) != task.customer_id) {
            self.customers.check(&caller, customer).await?;
        }
        self.check_assignee(&caller, edit.assignee_id).await?;
        self.tasks.execute(change.id, TaskCommand::Change(edit), change.context).await
    }

    async fn check_assignee(&self, caller: &Caller, assignee: Option<Id>) -> Result<(), Refusal> {
        check_owner_exists(&self.auth, &self.auth_guard, caller, assignee, "assignee_id").await
    }

    pub(in crate::actors::sales) async fn find_task(
        &self,
        caller: &Caller,
        id: Id,
    ) -> Result<Arc<Task>, Refusal> {
        let task = self.tasks.get(id).await?;
        domain::visible(task.as_deref(), caller)?;
        Ok(task.expect("what is visible is there"))
    }

    pub(in crate::actors::sales) async fn task_stats(&self, stats: TaskStats) -> Result<TaskCounts, Refusal> {
        failpoint::pause("stats.tasks").await;
        let assignee = stats.caller.only_owner().or(stats.owner_id);
        Ok(store::stats(&self.db, assignee, stats.from, stats.to, self.clock.now()).await?)
    }
}
