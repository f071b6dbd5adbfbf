//! How the rest of Kizuna talks to the sales service.

use std::sync::Arc;

use super::aggregate::MeetingAggregate;
use super::domain::{self, Meeting};
use super::messages::FindMeeting;
use super::service::SalesDesk;
use super::tasks::aggregate::TaskAggregate;
use super::tasks::domain::{self as task_rules, Task};
use super::tasks::messages::FindTask;
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::Service;
use crate::ids::Id;

/// The records of the service, where it is hosted.
#[derive(Clone)]
pub struct SalesRecords {
    pub meetings: Entities<MeetingAggregate>,
    pub tasks: Entities<TaskAggregate>,
}

/// Sends messages to the service, and reads hot meetings and tasks from memory.
#[derive(Clone)]
pub struct SalesClient {
    pub service: Service<SalesDesk>,
    /// Where the service is hosted.
    pub records: Option<SalesRecords>,
}

impl SalesClient {
    /// A meeting that the caller may see, without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Meeting>, Refusal> {
        match self.records.as_ref().and_then(|records| records.meetings.cached(id)) {
            Some(meeting) => domain::visible(Some(&meeting), &caller).map(drop).map(|()| meeting),
            None => self.service.ask(FindMeeting { id, caller }).await,
        }
    }

    /// The same for a task.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find_task(&self, caller: Caller, id: Id) -> Result<Arc<Task>, Refusal> {
        match self.records.as_ref().and_then(|records| records.tasks.cached(id)) {
            Some(task) => task_rules::visible(Some(&task), &caller).map(drop).map(|()| task),
            None => self.service.ask(FindTask { id, caller }).await,
        }
    }
}
