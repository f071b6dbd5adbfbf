//! The client of the sales service.

use std::sync::Arc;

use crate::actors::sales::meeting_aggregate::MeetingAggregate;
use crate::actors::sales::service::SalesService;
use crate::actors::sales::task_aggregate::TaskAggregate;
use domain::meeting::messages::FindMeeting;
use domain::meeting::record::Meeting;
use domain::meeting::rules;
use domain::task::messages::FindTask;
use domain::task::record::Task;
use domain::task::rules as task_rules;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::scoped::Scoped;
use runtime::entity::Entities;
use runtime::service::{Peer, Service};

/// The handle of other services to this one, with its circuit breaker.
pub type SalesPeer = Peer<SalesService>;

/// The records of the service, on a node that hosts it.
#[derive(Clone)]
pub struct SalesRecords {
    pub meetings: Entities<MeetingAggregate>,
    pub tasks: Entities<TaskAggregate>,
}

/// Sends messages to the service, and reads meetings and tasks that are in memory.
#[derive(Clone)]
pub struct SalesClient {
    pub service: Service<SalesService>,
    /// The records, on a node that hosts the service.
    pub records: Option<SalesRecords>,
}

impl SalesClient {
    /// A meeting that the caller may see. It is read without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `missing_scope`, `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Meeting>, Error> {
        let find = FindMeeting { id, caller };
        find.check_scopes()?;
        match self.records.as_ref().and_then(|records| records.meetings.cached(id)) {
            Some(meeting) => rules::visible(Some(&meeting), &caller).map(drop).map(|()| meeting),
            None => self.service.ask(find).await,
        }
    }

    /// A task that the caller may see. It is read without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `missing_scope`, `not_found`, `unavailable`, `overloaded`.
    pub async fn find_task(&self, caller: Caller, id: Id) -> Result<Arc<Task>, Error> {
        let find = FindTask { id, caller };
        find.check_scopes()?;
        match self.records.as_ref().and_then(|records| records.tasks.cached(id)) {
            Some(task) => task_rules::visible(Some(&task), &caller).map(drop).map(|()| task),
            None => self.service.ask(find).await,
        }
    }
}
